const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'it is a directory',
  EEXIST: 'it already exists',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is too large',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EPIPE: 'the reader has gone',
  EIO: 'the disk failed',
  EADDRINUSE: 'another program uses the address and port',
  ENOTFOUND: 'there is no such host',
  EADDRNOTAVAIL: 'this machine does not have the address',
};

/** Returns the reason for a failed system call, in words and without a path. */
export function reasonOf(error: unknown): string {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

/** True if `error` is from a failed system call, such as opening a file. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return error instanceof Error && code !== undefined && /^E[A-Z0-9]+$/.test(code);
}
