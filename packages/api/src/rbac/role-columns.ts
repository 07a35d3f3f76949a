import type { ColumnDefinition } from '@arc/apimachinery';

/** kubectl shows when a role was made, not how old it is. */
export const createdAtColumn: ColumnDefinition = {
  name: 'Created At',
  type: 'string',
  description: 'When the role was created.',
  value: (object) => object.metadata.creationTimestamp ?? undefined,
};
