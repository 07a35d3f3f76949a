import { objects } from './0001-objects.ts';
import { reportingViews } from './0002-reporting-views.ts';
import { imports } from './0003-imports.ts';
import type { Migration } from './migration.ts';

/** Every step, in order. */
export const migrations: readonly Migration[] = [objects, reportingViews, imports];

/** What this program works with. */
export const schemaVersion = migrations.length;
