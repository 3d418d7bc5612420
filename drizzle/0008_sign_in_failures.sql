CREATE TABLE `sign_in_failures` (
	`bucket` text PRIMARY KEY NOT NULL,
	`failures` integer NOT NULL,
	`failed_at` text NOT NULL,
	`expires_at` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `sign_in_failures_expires_at` ON `sign_in_failures` (`expires_at`);--> statement-breakpoint
ALTER TABLE `users` ADD `device_key` text;