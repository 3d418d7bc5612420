// Written by bun run db:generate.
export * from './access-tokens.ts';
export * from './action-tokens.ts';
export * from './audit-log.ts';
export * from './auth-flows.ts';
export * from './idempotency.ts';
export * from './identities.ts';
export * from './items.ts';
export * from './jobs.ts';
export * from './passkeys.ts';
export * from './row-counts.ts';
export * from './server-keys.ts';
export * from './sessions.ts';
export * from './sign-in-failures.ts';
export * from './sign-up-keys.ts';
export * from './sources.ts';
export * from './totp.ts';
export * from './users.ts';
