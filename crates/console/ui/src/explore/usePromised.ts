import { useEffect, useState } from 'react';

interface Told<K, T> {
  about: K;
  times: number;
  value?: T;
  error?: unknown;
}

/** What is to be found out about something, once it is; and again after it failed. */
export function usePromised<K, T>(about: K, find: (about: K) => Promise<T>, isWanted = true) {
  const [times, setTimes] = useState(0);
  const [told, setTold] = useState<Told<K, T>>();
  useEffect(() => {
    if (!isWanted) return;
    let isGone = false;
    find(about).then(
      (value) => !isGone && setTold({ about, times, value }),
      (error: unknown) => !isGone && setTold({ about, times, error }),
    );
    return () => void (isGone = true);
  }, [find, about, times, isWanted]);
  const now = isWanted && told?.about === about && told.times === times ? told : undefined;
  return { value: now?.value, error: now?.error, again: () => setTimes((times) => times + 1) };
}
