import { t } from 'elysia';
import { Flag, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';

const names = {
  email: Text({ minLength: 3, maxLength: 254, format: 'email', examples: ['ada@example.com'] }),
  username: Text({ minLength: 3, maxLength: 50, elysiaMeta: 'name', examples: ['ada'] }),
};

/** The guide's UserBase: the fields of an account that a caller sends. */
const UserBase = t.Object(
  { ...names, is_active: t.Optional(Flag({ default: true })) },
  { title: 'UserBase' },
);

export const UserCreate = t.Object(
  {
    ...UserBase.properties,
    password: Text({ minLength: 8, maxLength: 128, examples: ['straw-and-carrots'] }),
  },
  { title: 'UserCreate' },
);

/** The public fields of an account: never a password or its hash. */
export const UserResponse = t.Object(
  {
    id: Integer({ examples: [1] }),
    email: t.String({ examples: ['ada@example.com'] }),
    username: t.String({ examples: ['ada'] }),
    is_active: t.Boolean(),
    created_at: Timestamp(),
  },
  { title: 'UserResponse' },
);

export const UsersResponse = t.Array(UserResponse);

export const UserParams = t.Object({
  user_id: IntegerText({ description: 'The id of an account.' }),
});
