import { expect, test } from 'bun:test';
import { createLinks } from '../../src/core/links.ts';

test('without a public URL, links use the address that the server listens on', () => {
  const linkOn = (host: string) =>
    createLinks({ publicUrl: '', host }, { port: 3000 }).verifyEmail('t');
  expect(linkOn('127.0.0.1')).toBe('http://127.0.0.1:3000/verify#token=t');
  expect(linkOn('::1')).toBe('http://[::1]:3000/verify#token=t');
  expect(linkOn('0.0.0.0')).toBe('http://localhost:3000/verify#token=t');
});

test('links use the port that the system chose', () => {
  const listening = { port: 0 };
  const links = createLinks({ publicUrl: '', host: '127.0.0.1' }, listening);
  listening.port = 4000;
  expect(links.resetPassword('t')).toBe('http://127.0.0.1:4000/reset#token=t');
});
