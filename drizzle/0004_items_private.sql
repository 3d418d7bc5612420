CREATE INDEX `items_private_id` ON `items` (`owner_id`,`id`) WHERE "items"."visibility" = 'private' and "items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `items_private_created_at` ON `items` (`owner_id`,`created_at`,`id`) WHERE "items"."visibility" = 'private' and "items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `items_private_updated_at` ON `items` (`owner_id`,`updated_at`,`id`) WHERE "items"."visibility" = 'private' and "items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `items_private_title` ON `items` (`owner_id`,`title`,`id`) WHERE "items"."visibility" = 'private' and "items"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX `items_binned` ON `items` (`owner_id`,`id`) WHERE "items"."deleted_at" is not null;