DROP TRIGGER `items_insert_search`;--> statement-breakpoint
DROP TRIGGER `items_update_search`;--> statement-breakpoint
DROP TRIGGER `items_delete_search`;--> statement-breakpoint
CREATE TABLE "items_fts_pending" ("id" integer PRIMARY KEY NOT NULL) STRICT;--> statement-breakpoint
CREATE TRIGGER "items_insert_search" AFTER INSERT ON "items" WHEN (NEW."visibility" = 'public' AND NEW."deleted_at" is null) BEGIN
	INSERT INTO "items_fts_pending" VALUES (NEW."id") ON CONFLICT DO NOTHING;
END;--> statement-breakpoint
CREATE TRIGGER "items_update_search" AFTER UPDATE OF "title", "description", "tags", "visibility", "deleted_at" ON "items" WHEN (OLD."visibility" = 'public' AND OLD."deleted_at" is null) OR (NEW."visibility" = 'public' AND NEW."deleted_at" is null) BEGIN
	INSERT INTO "items_fts_pending" VALUES (NEW."id") ON CONFLICT DO NOTHING;
END;--> statement-breakpoint
CREATE TRIGGER "items_delete_search" AFTER DELETE ON "items" WHEN (OLD."visibility" = 'public' AND OLD."deleted_at" is null) BEGIN
	INSERT INTO "items_fts_pending" VALUES (OLD."id") ON CONFLICT DO NOTHING;
END;
