-- The server reads all items again, in small steps, and stores their texts in NFC: src/services/item-index.ts.
DELETE FROM `search_reindex`;--> statement-breakpoint
INSERT INTO `search_reindex` SELECT max(`id`) + 1 FROM `items` HAVING count(*) > 0;
