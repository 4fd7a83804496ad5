//! Where the parts of a cluster lie.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::geteuid;

use crate::account::Account;
use crate::{Error, Settings};

/// The longest socket path that works everywhere (Linux allows 107 bytes, macOS 103).
const LONGEST_SOCKET: usize = 100;
const SOCKET: &str = ".s.PGSQL.5432";
/// Where a cluster goes that its user cannot reach.
const FALLBACK: &str = "/var/lib/aether-nexus";
/// Root must not write where a link made by the folder's owner leads.
pub(crate) const NO_LINK: i32 = OFlag::O_NOFOLLOW.bits();

/// The folders and files of one cluster, with its owner's lock held.
#[derive(Debug)]
pub(crate) struct Layout {
    pub data_dir: PathBuf,
    pub account: Account,
    pub socket_dir: PathBuf,
    short_socket_dir: bool,
    _lock: File,
}

impl Layout {
    /// Creates the folders and takes the lock.
    pub fn open(settings: &Settings, progress: &mut dyn FnMut(&str)) -> Result<Self, Error> {
        let asked = std::path::absolute(&settings.data_dir).map_err(Error::io("finding the current folder"))?;
        let account = Account::choose(&asked)?;
        let (mut data_dir, created) = make(&asked, settings.ephemeral, &account)?;
        let fallback = Path::new(FALLBACK).join(format!("{:016x}", hash(&data_dir)));
        let moved = account.is_other() && !data_dir.join("cluster").exists() && fallback.join("cluster").exists();
        if moved || !account.reaches(&data_dir)? {
            let (asked, used) = (data_dir.display(), fallback.display());
            progress(&if moved {
                format!("the database of {asked} is kept in {used}")
            } else {
                format!("user {}, who runs PostgreSQL, cannot reach {asked}: using {used} instead", account.name)
            });
            if created {
                let _ = fs::remove_dir(&data_dir);
            }
            if !Path::new(FALLBACK).exists() {
                make(Path::new(FALLBACK), false, &account)?;
            }
            (data_dir, _) = make(&fallback, settings.ephemeral, &account)?;
            if !account.reaches(&data_dir)? {
                let source = io::Error::from(io::ErrorKind::PermissionDenied);
                return Err(Error::NotWritable { path: data_dir, user: account.name, source });
            }
        }
        let lock = lock(&data_dir, &account)?;
        let inside = data_dir.join("socket");
        let short_socket_dir = !fits(&inside);
        let socket_dir = if short_socket_dir {
            Path::new("/tmp").join(format!("aether-nexus-{:016x}", hash(&data_dir)))
        } else {
            inside
        };
        let layout = Self { data_dir, account, socket_dir, short_socket_dir, _lock: lock };
        layout.make_socket_dir()?;
        Ok(layout)
    }

    pub fn cluster(&self) -> PathBuf {
        self.data_dir.join("cluster")
    }

    pub fn log(&self) -> PathBuf {
        self.data_dir.join("postgres.log")
    }

    pub fn socket(&self) -> PathBuf {
        self.socket_dir.join(SOCKET)
    }

    /// The log, for appending; put aside first when it is large.
    pub fn open_log(&self) -> Result<File, Error> {
        let path = self.log();
        if fs::metadata(&path).is_ok_and(|meta| meta.len() > 10_000_000) {
            let _ = fs::rename(&path, self.data_dir.join("postgres.log.1"));
        }
        let options = || OpenOptions::new().create(true).append(true).mode(0o600).custom_flags(NO_LINK).open(&path);
        let file = options().map_err(not_writable(&path))?;
        self.account.give(&path).map_err(not_writable(&path))?;
        Ok(file)
    }

    /// Removes the socket folder if it lies outside the data folder.
    pub fn remove_socket_dir(&self) {
        if self.short_socket_dir {
            let _ = fs::remove_file(self.socket());
            let _ = fs::remove_dir(&self.socket_dir);
        }
    }

    /// The socket folder: ours, no link, and nobody else's to enter.
    fn make_socket_dir(&self) -> Result<(), Error> {
        let dir = &self.socket_dir;
        match DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => self.account.give(dir).map_err(not_writable(dir))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(not_writable(dir)(error)),
        }
        let stranger = || Error::SocketDir { path: dir.clone(), user: self.account.name.clone() };
        let meta = fs::symlink_metadata(dir).map_err(not_writable(dir))?;
        if !meta.is_dir() || (meta.uid() != self.account.uid && meta.uid() != geteuid().as_raw()) {
            return Err(stranger());
        }
        self.account.give(dir).map_err(not_writable(dir))?;
        if meta.mode() & 0o077 != 0 {
            if self.short_socket_dir {
                return Err(stranger());
            }
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(not_writable(dir))?;
        }
        Ok(())
    }
}

/// An error about a file this process could not write.
pub(crate) fn not_writable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| {
        let me = geteuid();
        let user = nix::unistd::User::from_uid(me).ok().flatten().map_or_else(|| me.to_string(), |user| user.name);
        Error::NotWritable { path, user, source }
    }
}

/// Makes a data folder and gives its true path, and whether it is new. The server's user may pass through it.
fn make(dir: &Path, ephemeral: bool, account: &Account) -> Result<(PathBuf, bool), Error> {
    let created = !dir.exists();
    if created {
        fs::create_dir_all(dir).map_err(not_writable(dir))?;
        // Afterwards: given to `create_dir_all`, the mode would be that of new parents too.
        let mode = if account.is_other() { 0o711 } else { 0o700 };
        fs::set_permissions(dir, fs::Permissions::from_mode(mode)).map_err(not_writable(dir))?;
    }
    let dir = fs::canonicalize(dir).map_err(not_writable(dir))?;
    if ephemeral && fs::read_dir(&dir).map_err(not_writable(&dir))?.next().is_some() {
        return Err(Error::NotEmpty { path: dir });
    }
    let meta = fs::metadata(&dir).map_err(not_writable(&dir))?;
    if !meta.is_dir() {
        return Err(not_writable(&dir)(io::ErrorKind::NotADirectory.into()));
    }
    if account.is_other() && meta.uid() == geteuid().as_raw() && meta.mode() & 0o011 != 0o011 {
        fs::set_permissions(&dir, fs::Permissions::from_mode(meta.mode() | 0o011)).map_err(not_writable(&dir))?;
    }
    Ok((dir, created))
}

/// Takes the owner's lock, and writes our process id into it for the message another process gives.
fn lock(data_dir: &Path, account: &Account) -> Result<File, Error> {
    let path = data_dir.join("lock");
    let mut options = OpenOptions::new();
    let open =
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(NO_LINK).open(&path);
    let mut file = open.map_err(not_writable(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            return Err(Error::InUse { path: data_dir.to_owned(), pid: text.trim().parse().ok() });
        }
        Err(TryLockError::Error(error)) => return Err(not_writable(&path)(error)),
    }
    let written = account.give(&path).and_then(|()| file.set_len(0));
    written.and_then(|()| writeln!(file, "{}", std::process::id())).map_err(not_writable(&path))?;
    Ok(file)
}

/// Whether a socket in this folder works: short enough, and nothing in its path that the configuration would have to
/// quote.
fn fits(dir: &Path) -> bool {
    let bytes = dir.as_os_str().as_encoded_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+ ".contains(byte);
    bytes.len() + 1 + SOCKET.len() <= LONGEST_SOCKET && bytes.iter().all(plain)
}

/// FNV-1a: the same in every build and on every machine.
fn hash(path: &Path) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    path.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step)
}
