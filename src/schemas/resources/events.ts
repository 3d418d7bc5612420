import { t } from 'elysia';
import type { Definition } from '../../resources/declare/definition.ts';
import { namesOf } from '../../resources/declare/words.ts';
import { Text } from '../kinds.ts';

/** Returns the schemas of a stream of server-sent events. */
export function eventSchemas(definition: Definition) {
  const { many } = namesOf(definition);
  const { hasViews, one: key } = definition;
  const description = [
    'Server-sent events: `created`, `updated` and `deleted` with an id and',
    `\`{"${key}", "${key}_id", "version", "at"}\`, where \`${key}\` is the current state, or null if the`,
    `caller cannot see it any more;${hasViews ? ` \`popular\` with \`{"${key}_ids"}\`, the ten most viewed;` : ''} \`reset\` if`,
    `events after the given id are no longer known: ${many} stored by the client may be outdated.`,
  ].join(' ');
  return { EventsQuery: EVENTS_QUERY, EventStream: t.String({ description }) };
}

const EVENTS_QUERY = t.Object({
  last_event_id: t.Optional(
    Text({
      maxLength: 100,
      description:
        'Like the header Last-Event-ID, for clients that cannot set it; the header takes precedence.',
      examples: ['17'],
    }),
  ),
});
