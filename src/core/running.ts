/** What is under way and must not be begun a second time meanwhile. */
export interface Running {
  /** Takes `name`; false when it is taken. */
  claim(name: string): Promise<boolean>;
  release(name: string): Promise<void>;
}

/** Names taken in this process, all free again when it ends. */
export function createRunning(): Running {
  const names = new Set<string>();
  return {
    claim: async (name) => {
      if (names.has(name)) return false;
      names.add(name);
      return true;
    },
    release: async (name) => void names.delete(name),
  };
}
