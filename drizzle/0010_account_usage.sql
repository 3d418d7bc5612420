CREATE TABLE `account_usage` (
	`user_id` integer PRIMARY KEY NOT NULL,
	`items` integer DEFAULT 0 NOT NULL,
	`bytes` integer DEFAULT 0 NOT NULL,
	`idempotency_keys` integer DEFAULT 0 NOT NULL,
	`idempotency_bytes` integer DEFAULT 0 NOT NULL,
	`items_limit` integer,
	`bytes_limit` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
DROP INDEX `sessions_user_id`;--> statement-breakpoint
CREATE INDEX `sessions_user_id` ON `sessions` (`user_id`,`last_used_at`);--> statement-breakpoint
INSERT INTO `account_usage`(`user_id`) SELECT `id` FROM `users` WHERE `id` NOT IN (SELECT `user_id` FROM `account_removals`);--> statement-breakpoint
UPDATE `account_usage` SET (`items`, `bytes`) = (SELECT count(*), coalesce(sum(octet_length(`title`) + octet_length(`description`) + coalesce(octet_length(`url`), 0) + octet_length(`tags`) + octet_length(`data`)), 0) FROM `items` WHERE `owner_id` = `user_id`);--> statement-breakpoint
UPDATE `account_usage` SET `bytes` = `bytes` + `of`.`sum` FROM (SELECT `owner_id`, sum(octet_length(`before`)) AS `sum` FROM `item_revisions` JOIN `items` ON `items`.`id` = `item_id` GROUP BY `owner_id`) AS `of` WHERE `user_id` = `of`.`owner_id`;--> statement-breakpoint
UPDATE `account_usage` SET (`idempotency_keys`, `idempotency_bytes`) = (SELECT count(*), coalesce(sum(octet_length(`body`)), 0) FROM `idempotency_keys` AS `stored` WHERE `stored`.`user_id` = `account_usage`.`user_id`);--> statement-breakpoint
CREATE TRIGGER `users_insert_usage` AFTER INSERT ON `users` BEGIN
	INSERT INTO `account_usage`(`user_id`) VALUES (NEW.`id`);
END;--> statement-breakpoint
CREATE TRIGGER `items_insert_usage` AFTER INSERT ON `items` BEGIN
	UPDATE `account_usage` SET `items` = `items` + 1, `bytes` = `bytes` + length(CAST(NEW.`title` AS BLOB)) + length(CAST(NEW.`description` AS BLOB)) + coalesce(length(CAST(NEW.`url` AS BLOB)), 0) + length(CAST(NEW.`tags` AS BLOB)) + length(CAST(NEW.`data` AS BLOB)) WHERE `user_id` = NEW.`owner_id`;
END;--> statement-breakpoint
CREATE TRIGGER `items_update_usage` AFTER UPDATE OF `title`, `description`, `url`, `tags`, `data` ON `items` BEGIN
	UPDATE `account_usage` SET `bytes` = `bytes` + (length(CAST(NEW.`title` AS BLOB)) + length(CAST(NEW.`description` AS BLOB)) + coalesce(length(CAST(NEW.`url` AS BLOB)), 0) + length(CAST(NEW.`tags` AS BLOB)) + length(CAST(NEW.`data` AS BLOB))) - (length(CAST(OLD.`title` AS BLOB)) + length(CAST(OLD.`description` AS BLOB)) + coalesce(length(CAST(OLD.`url` AS BLOB)), 0) + length(CAST(OLD.`tags` AS BLOB)) + length(CAST(OLD.`data` AS BLOB))) WHERE `user_id` = NEW.`owner_id`;
END;--> statement-breakpoint
CREATE TRIGGER `items_delete_usage` BEFORE DELETE ON `items` BEGIN
	UPDATE `account_usage` SET `items` = `items` - 1, `bytes` = `bytes` - (length(CAST(OLD.`title` AS BLOB)) + length(CAST(OLD.`description` AS BLOB)) + coalesce(length(CAST(OLD.`url` AS BLOB)), 0) + length(CAST(OLD.`tags` AS BLOB)) + length(CAST(OLD.`data` AS BLOB))) - coalesce((SELECT sum(length(CAST(`before` AS BLOB))) FROM `item_revisions` WHERE `item_id` = OLD.`id`), 0) WHERE `user_id` = OLD.`owner_id`;
END;--> statement-breakpoint
CREATE TRIGGER `item_revisions_insert_usage` AFTER INSERT ON `item_revisions` BEGIN
	UPDATE `account_usage` SET `bytes` = `bytes` + length(CAST(NEW.`before` AS BLOB)) WHERE `user_id` = (SELECT `owner_id` FROM `items` WHERE `id` = NEW.`item_id`);
END;--> statement-breakpoint
CREATE TRIGGER `item_revisions_delete_usage` AFTER DELETE ON `item_revisions` BEGIN
	UPDATE `account_usage` SET `bytes` = `bytes` - length(CAST(OLD.`before` AS BLOB)) WHERE `user_id` = (SELECT `owner_id` FROM `items` WHERE `id` = OLD.`item_id`);
END;--> statement-breakpoint
CREATE TRIGGER `idempotency_keys_insert_usage` AFTER INSERT ON `idempotency_keys` BEGIN
	UPDATE `account_usage` SET `idempotency_keys` = `idempotency_keys` + 1, `idempotency_bytes` = `idempotency_bytes` + length(CAST(NEW.`body` AS BLOB)) WHERE `user_id` = NEW.`user_id`;
END;--> statement-breakpoint
CREATE TRIGGER `idempotency_keys_delete_usage` AFTER DELETE ON `idempotency_keys` BEGIN
	UPDATE `account_usage` SET `idempotency_keys` = `idempotency_keys` - 1, `idempotency_bytes` = `idempotency_bytes` - length(CAST(OLD.`body` AS BLOB)) WHERE `user_id` = OLD.`user_id`;
END;