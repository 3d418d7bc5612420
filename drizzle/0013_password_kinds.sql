-- The kinds of hashes that accounts have beside that of new ones: src/services/user-queries.ts.
CREATE INDEX `users_password_kind` ON `users` (
	(case when substr(password_hash, 1, 2) = '$2' then substr(password_hash, 1, 7) else substr(password_hash, 1, instr(password_hash, ',p=') + 4) end)
) WHERE substr(password_hash, 1, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$';
