export { type Item, items, type NewItem } from './items.ts';
export { type Session, sessions } from './sessions.ts';
export { type NewUser, type Role, type User, users } from './users.ts';
