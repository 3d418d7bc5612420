import { tour } from './tour.ts';

const [url = 'http://127.0.0.1:3000'] = process.argv.slice(2);
await tour(url, console.log);
