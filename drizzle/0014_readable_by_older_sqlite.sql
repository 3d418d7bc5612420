-- An upsert without a target needs SQLite 3.35. What else older versions cannot read, src/core/portable-schema.ts
-- changes in the text of the schema: the CHECK of `items`.`data` among it.
DROP TRIGGER `item_views_insert_count`;
--> statement-breakpoint
CREATE TRIGGER `item_views_insert_count` AFTER INSERT ON `item_views` WHEN NEW.`is_listed` = 1 BEGIN
	INSERT INTO `row_counts` VALUES ('listed_items', NEW.`item_id` >> 12, 1) ON CONFLICT (`of`, `segment`) DO UPDATE SET `rows` = `rows` + 1;
END;
--> statement-breakpoint
DROP TRIGGER `item_views_list_count`;
--> statement-breakpoint
CREATE TRIGGER `item_views_list_count` AFTER UPDATE OF `is_listed` ON `item_views` WHEN NEW.`is_listed` = 1 AND OLD.`is_listed` = 0 BEGIN
	INSERT INTO `row_counts` VALUES ('listed_items', NEW.`item_id` >> 12, 1) ON CONFLICT (`of`, `segment`) DO UPDATE SET `rows` = `rows` + 1;
END;
--> statement-breakpoint
DROP TRIGGER `users_insert_count`;
--> statement-breakpoint
CREATE TRIGGER `users_insert_count` AFTER INSERT ON `users` BEGIN
	INSERT INTO `row_counts` VALUES ('users', NEW.`id` >> 12, 1) ON CONFLICT (`of`, `segment`) DO UPDATE SET `rows` = `rows` + 1;
END;
