import * as builtIn from '../../../src/resources/index.ts';
import { conformance } from '../conformance.ts';

for (const each of Object.values(builtIn)) conformance(each);
