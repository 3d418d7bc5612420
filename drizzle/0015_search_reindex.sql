CREATE TABLE `search_reindex` (
	`below_id` integer PRIMARY KEY NOT NULL
) STRICT;
--> statement-breakpoint
-- The server indexes what is there anew, in small steps: src/services/item-index.ts.
INSERT INTO `search_reindex` SELECT max(`id`) + 1 FROM `items` HAVING count(*) > 0;
