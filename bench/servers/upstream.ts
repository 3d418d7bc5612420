/**
 * Upstreams that take a while, each a host of its own (127.0.0.1, 127.0.0.2 …): argument one is
 * how many, argument two their delay in ms.
 */
const [count = '8', delayMs = '20'] = Bun.argv.slice(2);

const urls = Array.from({ length: Number(count) }, (_, index) => {
  const { url } = Bun.serve({
    hostname: `127.0.0.${index + 1}`,
    port: 0,
    development: false,
    fetch: async () => {
      await Bun.sleep(Number(delayMs));
      return Response.json({ upstream: index, status: 'ok', values: [1, 2, 3] });
    },
  });
  return url.origin;
});
console.log(JSON.stringify({ message: 'Listening.', url: urls.join(' ') }));
