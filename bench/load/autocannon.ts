/** Stands in for wrk where that is missing: slower itself, so its ceiling is lower. */
import autocannon from 'autocannon';
import { type HttpRequest, parseRequests } from './requests.ts';

const [url = '', file = '', connections = '32', duration = '4'] = Bun.argv.slice(2);
const requests = parseRequests(await Bun.file(file).text());

const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(duration),
  requests: requests.map(toAutocannon),
});
console.log(
  JSON.stringify({
    requests: result.requests.total,
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.errors + result.timeouts + result.non2xx,
  }),
);

function toAutocannon({ method, path, token, mediaType, body }: HttpRequest) {
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(mediaType && { 'content-type': mediaType }),
  };
  return { method, path, headers, ...(body && { body }) };
}
