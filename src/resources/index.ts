/** The resources that the server has, besides those of the folder `resources`. */
export { items } from './items.ts';
