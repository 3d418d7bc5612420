CREATE VIRTUAL TABLE `items_fts` USING fts5(`title`, `description`, `tags`, content='items', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3');--> statement-breakpoint
INSERT INTO `items_fts`(`items_fts`) VALUES ('rebuild');--> statement-breakpoint
CREATE TRIGGER `items_insert_search` AFTER INSERT ON `items` BEGIN
	INSERT INTO `items_fts`(`rowid`, `title`, `description`, `tags`) VALUES (NEW.`id`, NEW.`title`, NEW.`description`, NEW.`tags`);
END;--> statement-breakpoint
CREATE TRIGGER `items_update_search` AFTER UPDATE OF `title`, `description`, `tags` ON `items` BEGIN
	INSERT INTO `items_fts`(`items_fts`, `rowid`, `title`, `description`, `tags`) VALUES ('delete', OLD.`id`, OLD.`title`, OLD.`description`, OLD.`tags`);
	INSERT INTO `items_fts`(`rowid`, `title`, `description`, `tags`) VALUES (NEW.`id`, NEW.`title`, NEW.`description`, NEW.`tags`);
END;--> statement-breakpoint
CREATE TRIGGER `items_delete_search` AFTER DELETE ON `items` BEGIN
	INSERT INTO `items_fts`(`items_fts`, `rowid`, `title`, `description`, `tags`) VALUES ('delete', OLD.`id`, OLD.`title`, OLD.`description`, OLD.`tags`);
END;--> statement-breakpoint
CREATE TRIGGER `items_insert_tags` AFTER INSERT ON `items` WHEN NEW.`tags` <> '[]' BEGIN
	INSERT INTO `item_tags`(`tag`, `item_id`) SELECT DISTINCT `value`, NEW.`id` FROM json_each(NEW.`tags`);
END;--> statement-breakpoint
CREATE TRIGGER `items_update_tags` AFTER UPDATE OF `tags` ON `items` WHEN NEW.`tags` <> OLD.`tags` BEGIN
	DELETE FROM `item_tags` WHERE `item_id` = OLD.`id`;
	INSERT INTO `item_tags`(`tag`, `item_id`) SELECT DISTINCT `value`, NEW.`id` FROM json_each(NEW.`tags`);
END;--> statement-breakpoint
CREATE TRIGGER `items_insert_views` AFTER INSERT ON `items` BEGIN
	INSERT INTO `item_views`(`item_id`, `is_listed`) VALUES (NEW.`id`, NEW.`visibility` = 'public' AND NEW.`deleted_at` IS NULL);
END;--> statement-breakpoint
CREATE TRIGGER `items_update_listed` AFTER UPDATE OF `visibility`, `deleted_at` ON `items` BEGIN
	UPDATE `item_views` SET `is_listed` = (NEW.`visibility` = 'public' AND NEW.`deleted_at` IS NULL) WHERE `item_id` = NEW.`id`;
END;
