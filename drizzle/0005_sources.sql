CREATE TABLE `source_calls` (
	`source_id` integer NOT NULL,
	`hour` integer NOT NULL,
	`count` integer NOT NULL,
	`cache_hit` integer NOT NULL,
	`cache_miss` integer NOT NULL,
	`cache_stale` integer NOT NULL,
	`cache_revalidated` integer NOT NULL,
	`latency_max_ms` integer NOT NULL,
	`latency` text NOT NULL,
	`errors` text NOT NULL,
	PRIMARY KEY(`source_id`, `hour`),
	FOREIGN KEY (`source_id`) REFERENCES `sources`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `source_calls_hour` ON `source_calls` (`hour`);--> statement-breakpoint
CREATE TABLE `sources` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`is_enabled` integer NOT NULL,
	`access` text NOT NULL,
	`refresh` text,
	`definition` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`created_at` text NOT NULL,
	`updated_at` text NOT NULL,
	CONSTRAINT "sources_name" CHECK(length("sources"."name") between 1 and 64 and "sources"."name" <> 'fetch'),
	CONSTRAINT "sources_access" CHECK("sources"."access" in ('public', 'user', 'scope')),
	CONSTRAINT "sources_is_enabled" CHECK("sources"."is_enabled" in (0, 1)),
	CONSTRAINT "sources_definition" CHECK(json_type("sources"."definition") = 'object')
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `sources_name_unique` ON `sources` (`name`);--> statement-breakpoint
CREATE INDEX `sources_refresh` ON `sources` (`id`) WHERE "sources"."refresh" is not null;