CREATE TABLE `job_schedules` (
	`name` text PRIMARY KEY NOT NULL,
	`next_at` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `jobs` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`name` text NOT NULL,
	`key` text,
	`state` text NOT NULL,
	`payload` text NOT NULL,
	`attempts` integer NOT NULL,
	`due_at` text NOT NULL,
	`holder` text,
	`last_error` text,
	`created_at` text NOT NULL,
	CONSTRAINT "jobs_state" CHECK("jobs"."state" in ('waiting', 'running', 'dead')),
	CONSTRAINT "jobs_holder" CHECK(("jobs"."state" = 'running') = ("jobs"."holder" is not null))
) STRICT;
--> statement-breakpoint
CREATE INDEX `jobs_due` ON `jobs` (`state`,`name`,`due_at`);--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_key` ON `jobs` (`name`,`key`) WHERE "jobs"."state" = 'waiting' and "jobs"."key" is not null;--> statement-breakpoint
CREATE INDEX `jobs_dead` ON `jobs` (`id`) WHERE "jobs"."state" = 'dead';--> statement-breakpoint
INSERT INTO `jobs` (`name`, `state`, `payload`, `attempts`, `due_at`, `last_error`, `created_at`)
SELECT 'mail', 'waiting', json_object('to', `recipient`, 'subject', `subject`, 'text', `text`, 'html', `html`),
	`attempts`, `next_attempt_at`, `last_error`, `created_at` FROM `mails` WHERE `attempts` < 10 ORDER BY `id`;
--> statement-breakpoint
INSERT INTO `jobs` (`name`, `state`, `payload`, `attempts`, `due_at`, `last_error`, `created_at`)
SELECT 'mail', 'dead', json_object('to', `recipient`, 'subject', `subject`),
	`attempts`, `next_attempt_at`, `last_error`, `created_at` FROM `mails` WHERE `attempts` >= 10 ORDER BY `id`;
--> statement-breakpoint
DROP TABLE `mails`;