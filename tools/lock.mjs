/** A lock between processes: a folder, since making one succeeds for one only. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a holder shows that it is at work. */
const SIGN_MS = 5_000;
/** A lock without a sign for so long is left over, even if its process number has gone to another process. */
const SILENT_MS = 300_000;
/** How long the number of the holder may take to appear. */
const TAKING_MS = 5_000;

/** @param {string} folder */
function isHeld(folder) {
  let age;
  try {
    age = Date.now() - statSync(folder).mtimeMs;
  } catch {
    return false;
  }
  if (age > SILENT_MS) return false;
  try {
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 0);
    return true;
  } catch (error) {
    // There, but another user's.
    if (error instanceof Error && 'code' in error && error.code === 'EPERM') return true;
    // Without a living holder it is one that is just being taken, or one left by a crash: age tells.
    return age < TAKING_MS && !existsSync(join(folder, 'pid'));
  }
}

/**
 * Runs `work` while holding a lock that other processes respect; one that is left over is taken over.
 *
 * @param {string} folder
 * @param {() => Promise<void>} work
 * @param {() => void} onWait told once if another process holds the lock
 */
export async function alone(folder, work, onWait) {
  const holder = join(folder, 'pid');
  mkdirSync(dirname(folder), { recursive: true });
  for (let told = false; ; ) {
    try {
      mkdirSync(folder);
      break;
    } catch {
      if (!isHeld(folder)) {
        rmSync(folder, { recursive: true, force: true });
      } else {
        if (!told) onWait();
        told = true;
        await sleep(300);
      }
    }
  }
  const isOurs = () => existsSync(holder) && readFileSync(holder, 'utf8') === String(process.pid);
  writeFileSync(holder, String(process.pid));
  const signs = setInterval(() => {
    if (isOurs()) utimesSync(folder, new Date(), new Date());
  }, SIGN_MS);
  try {
    await work();
  } finally {
    clearInterval(signs);
    if (isOurs()) rmSync(folder, { recursive: true, force: true });
  }
}
