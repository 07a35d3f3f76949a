import type { ColumnDefinition } from '@arc/apimachinery';

export const ageColumn: ColumnDefinition = {
  name: 'Age',
  type: 'date',
  description: 'When the object was created.',
  value: (object) => object.metadata.creationTimestamp ?? undefined,
};
