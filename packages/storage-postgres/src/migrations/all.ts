import { objects } from './0001-objects.ts';
import { reportingViews } from './0002-reporting-views.ts';
import type { Migration } from './migration.ts';

/** Every step, in order. */
export const migrations: readonly Migration[] = [objects, reportingViews];

/** What this program works with. */
export const schemaVersion = migrations.length;
