DROP TRIGGER `items_insert_search`;--> statement-breakpoint
DROP TRIGGER `items_update_search`;--> statement-breakpoint
DROP TRIGGER `items_delete_search`;--> statement-breakpoint
DROP TRIGGER `items_insert_tags`;--> statement-breakpoint
DROP TRIGGER `items_update_tags`;--> statement-breakpoint
CREATE TABLE `row_counts` (
	`of` text NOT NULL,
	`segment` integer NOT NULL,
	`rows` integer NOT NULL,
	PRIMARY KEY(`of`, `segment`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `server_keys` (
	`name` text PRIMARY KEY NOT NULL,
	`key` blob NOT NULL
) STRICT;
--> statement-breakpoint
DROP INDEX `items_url`;--> statement-breakpoint
CREATE INDEX `items_listed_owner` ON `items` (`owner_id`,`id`) WHERE "items"."visibility" = 'public' and "items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `items_listed_url` ON `items` (`url`,`id`) WHERE "items"."visibility" = 'public' and "items"."deleted_at" is null and "items"."url" is not null;--> statement-breakpoint
CREATE INDEX `items_private_url` ON `items` (`owner_id`,`url`,`id`) WHERE "items"."visibility" = 'private' and "items"."deleted_at" is null and "items"."url" is not null;--> statement-breakpoint
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_item_tags` (
	`viewer_id` integer NOT NULL,
	`tag` text NOT NULL,
	`item_id` integer NOT NULL,
	PRIMARY KEY(`viewer_id`, `tag`, `item_id`),
	FOREIGN KEY (`item_id`) REFERENCES `items`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_item_tags`("viewer_id", "tag", "item_id") SELECT CASE WHEN `deleted_at` IS NOT NULL THEN -1 WHEN `visibility` = 'public' THEN 0 ELSE `owner_id` END, "tag", "item_id" FROM `item_tags` JOIN `items` ON `items`.`id` = `item_id`;--> statement-breakpoint
DROP TABLE `item_tags`;--> statement-breakpoint
ALTER TABLE `__new_item_tags` RENAME TO `item_tags`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
CREATE INDEX `item_tags_item_id` ON `item_tags` (`item_id`);--> statement-breakpoint
INSERT INTO `server_keys` VALUES ('cursor', randomblob(32));--> statement-breakpoint
DROP TABLE `items_fts`;--> statement-breakpoint
CREATE VIRTUAL TABLE `items_fts` USING fts5(`title`, `description`, `tags`, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2', prefix='2 3');--> statement-breakpoint
CREATE VIRTUAL TABLE `items_fts_words` USING fts5vocab('items_fts', 'instance');--> statement-breakpoint
INSERT INTO `items_fts`(`rowid`, `title`, `description`, `tags`) SELECT `id`, `title`, `description`, `tags` FROM `items` WHERE `visibility` = 'public' AND `deleted_at` IS NULL;--> statement-breakpoint
CREATE TRIGGER `items_insert_search` AFTER INSERT ON `items` WHEN NEW.`visibility` = 'public' AND NEW.`deleted_at` IS NULL BEGIN
	INSERT INTO `items_fts`(`rowid`, `title`, `description`, `tags`) VALUES (NEW.`id`, NEW.`title`, NEW.`description`, NEW.`tags`);
END;--> statement-breakpoint
CREATE TRIGGER `items_update_search` AFTER UPDATE OF `title`, `description`, `tags`, `visibility`, `deleted_at` ON `items` WHEN (OLD.`visibility` = 'public' AND OLD.`deleted_at` IS NULL) OR (NEW.`visibility` = 'public' AND NEW.`deleted_at` IS NULL) BEGIN
	DELETE FROM `items_fts` WHERE `rowid` = OLD.`id` AND OLD.`visibility` = 'public' AND OLD.`deleted_at` IS NULL;
	INSERT INTO `items_fts`(`rowid`, `title`, `description`, `tags`) SELECT NEW.`id`, NEW.`title`, NEW.`description`, NEW.`tags` WHERE NEW.`visibility` = 'public' AND NEW.`deleted_at` IS NULL;
END;--> statement-breakpoint
CREATE TRIGGER `items_delete_search` AFTER DELETE ON `items` WHEN OLD.`visibility` = 'public' AND OLD.`deleted_at` IS NULL BEGIN
	DELETE FROM `items_fts` WHERE `rowid` = OLD.`id`;
END;--> statement-breakpoint
CREATE TRIGGER `items_insert_tags` AFTER INSERT ON `items` WHEN NEW.`tags` <> '[]' BEGIN
	INSERT INTO `item_tags`(`viewer_id`, `tag`, `item_id`) SELECT DISTINCT CASE WHEN NEW.`deleted_at` IS NOT NULL THEN -1 WHEN NEW.`visibility` = 'public' THEN 0 ELSE NEW.`owner_id` END, `value`, NEW.`id` FROM json_each(NEW.`tags`);
END;--> statement-breakpoint
CREATE TRIGGER `items_update_tags` AFTER UPDATE OF `owner_id`, `tags`, `visibility`, `deleted_at` ON `items` WHEN OLD.`tags` <> '[]' OR NEW.`tags` <> '[]' BEGIN
	DELETE FROM `item_tags` WHERE `item_id` = OLD.`id`;
	INSERT INTO `item_tags`(`viewer_id`, `tag`, `item_id`) SELECT DISTINCT CASE WHEN NEW.`deleted_at` IS NOT NULL THEN -1 WHEN NEW.`visibility` = 'public' THEN 0 ELSE NEW.`owner_id` END, `value`, NEW.`id` FROM json_each(NEW.`tags`);
END;--> statement-breakpoint
INSERT INTO `row_counts` SELECT 'listed_items', `item_id` >> 12, count(*) FROM `item_views` WHERE `is_listed` = 1 GROUP BY 2;--> statement-breakpoint
INSERT INTO `row_counts` SELECT 'users', `id` >> 12, count(*) FROM `users` GROUP BY 2;--> statement-breakpoint
CREATE TRIGGER `item_views_insert_count` AFTER INSERT ON `item_views` WHEN NEW.`is_listed` = 1 BEGIN
	INSERT INTO `row_counts` VALUES ('listed_items', NEW.`item_id` >> 12, 1) ON CONFLICT DO UPDATE SET `rows` = `rows` + 1;
END;--> statement-breakpoint
CREATE TRIGGER `item_views_list_count` AFTER UPDATE OF `is_listed` ON `item_views` WHEN NEW.`is_listed` = 1 AND OLD.`is_listed` = 0 BEGIN
	INSERT INTO `row_counts` VALUES ('listed_items', NEW.`item_id` >> 12, 1) ON CONFLICT DO UPDATE SET `rows` = `rows` + 1;
END;--> statement-breakpoint
CREATE TRIGGER `item_views_unlist_count` AFTER UPDATE OF `is_listed` ON `item_views` WHEN NEW.`is_listed` = 0 AND OLD.`is_listed` = 1 BEGIN
	UPDATE `row_counts` SET `rows` = `rows` - 1 WHERE `of` = 'listed_items' AND `segment` = NEW.`item_id` >> 12;
END;--> statement-breakpoint
CREATE TRIGGER `item_views_delete_count` AFTER DELETE ON `item_views` WHEN OLD.`is_listed` = 1 BEGIN
	UPDATE `row_counts` SET `rows` = `rows` - 1 WHERE `of` = 'listed_items' AND `segment` = OLD.`item_id` >> 12;
END;--> statement-breakpoint
CREATE TRIGGER `users_insert_count` AFTER INSERT ON `users` BEGIN
	INSERT INTO `row_counts` VALUES ('users', NEW.`id` >> 12, 1) ON CONFLICT DO UPDATE SET `rows` = `rows` + 1;
END;--> statement-breakpoint
CREATE TRIGGER `users_delete_count` AFTER DELETE ON `users` BEGIN
	UPDATE `row_counts` SET `rows` = `rows` - 1 WHERE `of` = 'users' AND `segment` = OLD.`id` >> 12;
END;--> statement-breakpoint
CREATE INDEX `item_events_others` ON `item_events` (`id`) WHERE "item_events"."audience" <> 'owner';--> statement-breakpoint
CREATE INDEX `item_events_own` ON `item_events` (`owner_id`,`id`) WHERE "item_events"."audience" = 'owner';
