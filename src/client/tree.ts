import type { App } from '../app.ts';
import type { Answer } from './answer.ts';
import type { CallOptions } from './options.ts';
import type { FieldsOf, SparseGet } from './sparse.ts';

/**
 * A typed Hutch server: routes, bodies, responses and the errors of each status. A call never rejects:
 * every failure is an `error`.
 */
export type Client = Tree<Routes> & {
  /** Short for `api.v1`. */
  v1: Tree<Routes['api']['v1']>;
  /** Short for `api.v2`. */
  v2: Tree<Routes['api']['v2']>;
};

/** A client that also knows further routes of v2, such as those of resources. */
export type ClientWith<V2Routes> = Client & {
  v2: Tree<V2Routes>;
  api: { v2: Tree<V2Routes> };
};

/** The routes of the API, without the pages. */
type Routes = Pick<App['~Routes'], 'api' | 'health'>;

interface Route {
  body: unknown;
  params: unknown;
  query: unknown;
  headers: unknown;
  response: unknown;
}

type Tree<Branch> = {
  [Name in keyof Branch as Name extends `:${string}` ? never : Name]: Branch[Name] extends Route
    ? Call<Name, Branch[Name]>
    : Node<Branch[Name]>;
};

type Node<Branch> = [ParameterOf<Branch>] extends [never]
  ? Tree<Branch>
  : ((
      params: ParamsOf<ParameterOf<Branch>, Branch[ParameterOf<Branch>]>,
    ) => Node<Branch[ParameterOf<Branch>]>) &
      Tree<Branch>;

type Nothing = Record<never, never>;

type ParameterOf<Branch> = Extract<keyof Branch, `:${string}`>;

/** A parameter is a number if the routes below declare it so. */
type ParamsOf<Parameter, Branch> = Parameter extends `:${infer Name}`
  ? { [N in Name]: ParamOf<N, Branch> }
  : never;

type ParamOf<Name extends string, Branch> =
  Extract<
    { [K in keyof Branch]: Branch[K] extends Route ? Branch[K]['params'] : never }[keyof Branch],
    { [N in Name]: number }
  > extends never
    ? string | number
    : number;

/** Elysia declares its own validation error where a route declares none; ours is a problem. */
type Call<
  Method,
  R extends Route,
  Res = {
    [S in keyof R['response'] as R['response'][S] extends { type: 'validation'; on: string }
      ? never
      : S]: R['response'][S];
  },
> = Method extends 'get' | 'head'
  ? Nothing extends Query<R>
    ? [FieldsOf<Query<R>>] extends [never]
      ? (options?: CallOptions & Query<R>) => Promise<Answer<Res>>
      : SparseGet<Res, Query<R>>
    : (options: CallOptions & Query<R>) => Promise<Answer<Res>>
  : Nothing extends Query<R>
    ? unknown extends R['body']
      ? (body?: undefined, options?: CallOptions & Query<R>) => Promise<Answer<Res>>
      : (body: R['body'], options?: CallOptions & Query<R>) => Promise<Answer<Res>>
    : (body: R['body'], options: CallOptions & Query<R>) => Promise<Answer<Res>>;

type Query<R extends Route> = unknown extends R['query']
  ? unknown
  : Nothing extends R['query']
    ? { query?: R['query'] }
    : { query: R['query'] };
