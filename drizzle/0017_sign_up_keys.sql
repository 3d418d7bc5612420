CREATE TABLE `sign_up_keys` (
	`request_hash` text PRIMARY KEY NOT NULL,
	`user_id` integer,
	`session` text,
	`created_at` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
CREATE INDEX `sign_up_keys_user_id` ON `sign_up_keys` (`user_id`);--> statement-breakpoint
CREATE INDEX `sign_up_keys_created_at` ON `sign_up_keys` (`created_at`);