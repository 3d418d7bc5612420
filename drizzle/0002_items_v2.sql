CREATE TABLE `idempotency_keys` (
	`user_id` integer NOT NULL,
	`key` text NOT NULL,
	`request_hash` text NOT NULL,
	`status` integer NOT NULL,
	`location` text,
	`body` text NOT NULL,
	`created_at` text NOT NULL,
	PRIMARY KEY(`user_id`, `key`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `idempotency_keys_created_at` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
CREATE TABLE `item_days` (
	`day` integer NOT NULL,
	`item_id` integer NOT NULL,
	`views` integer NOT NULL,
	PRIMARY KEY(`day`, `item_id`),
	FOREIGN KEY (`item_id`) REFERENCES `items`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `item_days_item_id` ON `item_days` (`item_id`,`day`);--> statement-breakpoint
CREATE TABLE `item_events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`type` text NOT NULL,
	`item_id` integer NOT NULL,
	`owner_id` integer NOT NULL,
	`audience` text NOT NULL,
	`version` integer NOT NULL,
	`at` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `item_events_at` ON `item_events` (`at`);--> statement-breakpoint
CREATE TABLE `item_hours` (
	`hour` integer NOT NULL,
	`item_id` integer NOT NULL,
	`views` integer NOT NULL,
	PRIMARY KEY(`hour`, `item_id`),
	FOREIGN KEY (`item_id`) REFERENCES `items`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `item_hours_item_id` ON `item_hours` (`item_id`,`hour`);--> statement-breakpoint
CREATE TABLE `item_revisions` (
	`item_id` integer NOT NULL,
	`version` integer NOT NULL,
	`action` text NOT NULL,
	`actor_id` integer NOT NULL,
	`at` text NOT NULL,
	`before` text NOT NULL,
	PRIMARY KEY(`item_id`, `version`),
	FOREIGN KEY (`item_id`) REFERENCES `items`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `item_tags` (
	`tag` text NOT NULL,
	`item_id` integer NOT NULL,
	PRIMARY KEY(`tag`, `item_id`),
	FOREIGN KEY (`item_id`) REFERENCES `items`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `item_tags_item_id` ON `item_tags` (`item_id`);--> statement-breakpoint
CREATE TABLE `item_views` (
	`item_id` integer PRIMARY KEY NOT NULL,
	`views` integer DEFAULT 0 NOT NULL,
	`day` integer DEFAULT 0 NOT NULL,
	`week` integer DEFAULT 0 NOT NULL,
	`month` integer DEFAULT 0 NOT NULL,
	`is_listed` integer DEFAULT true NOT NULL,
	FOREIGN KEY (`item_id`) REFERENCES `items`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
CREATE INDEX `item_views_all` ON `item_views` ("views" desc,`item_id`) WHERE "item_views"."is_listed" = 1;--> statement-breakpoint
CREATE INDEX `item_views_day` ON `item_views` ("day" desc,`item_id`) WHERE "item_views"."is_listed" = 1 and "item_views"."day" > 0;--> statement-breakpoint
CREATE INDEX `item_views_week` ON `item_views` ("week" desc,`item_id`) WHERE "item_views"."is_listed" = 1 and "item_views"."week" > 0;--> statement-breakpoint
CREATE INDEX `item_views_month` ON `item_views` ("month" desc,`item_id`) WHERE "item_views"."is_listed" = 1 and "item_views"."month" > 0;--> statement-breakpoint
CREATE TABLE `view_sweeps` (
	`window` text PRIMARY KEY NOT NULL,
	`bucket` integer NOT NULL,
	`item_id` integer NOT NULL
) STRICT;
--> statement-breakpoint
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_items` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`owner_id` integer NOT NULL,
	`title` text NOT NULL,
	`description` text NOT NULL,
	`url` text,
	`tags` text DEFAULT '[]' NOT NULL,
	`data` text DEFAULT '{}' NOT NULL,
	`visibility` text DEFAULT 'public' NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL,
	`deleted_at` text,
	FOREIGN KEY (`owner_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "items_title" CHECK(length("__new_items"."title") between 1 and 200),
	CONSTRAINT "items_description" CHECK(length("__new_items"."description") <= 10000),
	CONSTRAINT "items_visibility" CHECK("__new_items"."visibility" in ('public', 'private')),
	CONSTRAINT "items_tags" CHECK(json_type("__new_items"."tags") = 'array'),
	CONSTRAINT "items_data" CHECK(json_type("__new_items"."data") = 'object' and octet_length("__new_items"."data") <= 65536)
) STRICT;
--> statement-breakpoint
INSERT INTO `item_views`("item_id", "views") SELECT "id", "views" FROM `items`;--> statement-breakpoint
INSERT INTO `__new_items`("id", "owner_id", "title", "description", "url", "created_at", "updated_at") SELECT "id", "owner_id", "title", "description", "url", "created_at", "updated_at" FROM `items`;--> statement-breakpoint
DROP TABLE `items`;--> statement-breakpoint
ALTER TABLE `__new_items` RENAME TO `items`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
CREATE INDEX `items_listed_id` ON `items` (`id`) WHERE "items"."visibility" = 'public' and "items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `items_listed_created_at` ON `items` (`created_at`,`id`) WHERE "items"."visibility" = 'public' and "items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `items_listed_updated_at` ON `items` (`updated_at`,`id`) WHERE "items"."visibility" = 'public' and "items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `items_listed_title` ON `items` (`title`,`id`) WHERE "items"."visibility" = 'public' and "items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `items_owner_id` ON `items` (`owner_id`,`id`);--> statement-breakpoint
CREATE INDEX `items_url` ON `items` (`url`,`id`) WHERE "items"."url" is not null;--> statement-breakpoint
CREATE INDEX `items_deleted_at` ON `items` (`deleted_at`) WHERE "items"."deleted_at" is not null;