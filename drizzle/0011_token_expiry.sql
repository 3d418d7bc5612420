CREATE TABLE `__new_access_tokens` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` integer NOT NULL,
	`name` text NOT NULL,
	`token_hash` text NOT NULL,
	`prefix` text NOT NULL,
	`scopes` text NOT NULL,
	`created_at` text NOT NULL,
	`expires_at` text NOT NULL,
	`last_used_at` text,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
INSERT INTO `__new_access_tokens`("id", "user_id", "name", "token_hash", "prefix", "scopes", "created_at", "expires_at", "last_used_at") SELECT "id", "user_id", "name", "token_hash", "prefix", "scopes", "created_at", min(coalesce("expires_at", '9'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now', iif("user_id" IN (SELECT "id" FROM `users` WHERE "role" = 'admin'), '+90 days', '+365 days'))), "last_used_at" FROM `access_tokens`;--> statement-breakpoint
DROP TABLE `access_tokens`;--> statement-breakpoint
ALTER TABLE `__new_access_tokens` RENAME TO `access_tokens`;--> statement-breakpoint
CREATE UNIQUE INDEX `access_tokens_token_hash_unique` ON `access_tokens` (`token_hash`);--> statement-breakpoint
CREATE INDEX `access_tokens_user_id` ON `access_tokens` (`user_id`);--> statement-breakpoint
ALTER TABLE `sessions` ADD `second_factor_at` text;