/** Answers everything with one text: the most that this machine and load generator can show. */
const ANSWER = JSON.stringify({
  id: 1,
  email: 'user1@example.com',
  username: 'user1',
  is_active: true,
  created_at: '2026-11-22T16:00:00.000Z',
});
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  development: false,
  fetch: () => new Response(ANSWER, { headers: { 'content-type': 'application/json' } }),
});
console.log(JSON.stringify({ message: 'Listening.', url: server.url.origin }));
