export { exportArtifacts } from './export-artifacts.ts';
export type { ExportedArtifact, ExportOptions, ExportResult } from './export-artifacts.ts';
export { importArtifacts } from './import-artifacts.ts';
export type { ImportedArtifact, ImportOptions } from './import-artifacts.ts';
export { blobsOf, formatInventory, heldByInventory, inventoryLimit, mergeInventories, parseInventory } from './inventory.ts';
export type { HeldElsewhere, Inventory } from './inventory.ts';
