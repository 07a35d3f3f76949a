import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { ArcError, codeOf, messageOf } from '@arc/kernel';
import { formatInventory, inventoryLimit, mergeInventories, parseInventory, type Inventory } from '@arc/transfer/carry';

/** @throws ArcError when there is none or it is too large; TransferError when it is something else */
export async function readInventoryFile(path: string): Promise<Inventory> {
  try {
    if ((await stat(path)).size > inventoryLimit) throw new ArcError('FileUnreadable', `${path} is too large for an inventory`);
    return parseInventory(await readFile(path), path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new ArcError('FileUnreadable', `the file ${path} does not exist`, { cause: error });
    throw error instanceof ArcError ? error : new ArcError('FileUnreadable', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Adds to the inventory in a file, or begins one. */
export async function updateInventoryFile(path: string, inventory: Inventory): Promise<void> {
  const known = await stat(path).then(
    () => readInventoryFile(path),
    () => undefined,
  );
  await writeFile(`${path}.new`, formatInventory(known === undefined ? inventory : mergeInventories(known, inventory)));
  await rename(`${path}.new`, path);
}
