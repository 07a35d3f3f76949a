import { s } from '@arc/apimachinery';

/** A user as reviews show one. */
export function userInfoSchema(description: string) {
  return s.optional(
    s.object(
      {
        username: s.optional(s.string({ description: 'Name of the user.' })),
        uid: s.optional(s.string({ description: 'Identifies the user over time.' })),
        groups: s.optional(s.array(s.string(), { description: 'Groups the user is in.', 'x-kubernetes-list-type': 'atomic' })),
        extra: s.optional(s.map(s.array(s.string()), { description: 'What the authenticator adds.' })),
      },
      { description },
    ),
  );
}
