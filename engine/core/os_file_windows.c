/* Files on Windows (os_file.h). Descriptors are those of the C library, opened on handles that we make: names are UTF-16,
 * and others may read, rename and remove what we have open for reading, as on other systems. */
#include "core/os_file.h"

#include "core/alloc.h"
#include "core/os_windows.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <string.h>
#include <wchar.h>

#define EPOCH_S      11644473600LL /* from 1601, where Windows begins to count, to 1970 */
#define TICKS_S      10000000LL    /* of 100 ns */
#define IO_MOST      ((size_t)1 << 30)
#define SHARE_ALL    (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define BUSY_TRIES   12 /* the waits between them add up to about 1.2 s */
#define BUSY_MOST_MS 160

/* ---- what is there */

static HANDLE handle_of(int fd)
{
    return (HANDLE)_get_osfhandle(fd);
}

/* The type of the handle decides; only files on disks have the rest. */
static int look_at_handle(mb_os_info *out, HANDLE h, bool link_itself)
{
    BY_HANDLE_FILE_INFORMATION i;
    *out = (mb_os_info){.kind = MB_OS_OTHER};
    DWORD type = GetFileType(h);
    if (type == FILE_TYPE_CHAR || type == FILE_TYPE_PIPE) {
        out->kind = type == FILE_TYPE_CHAR ? MB_OS_CHARACTER_DEVICE : MB_OS_PIPE;
        return 0;
    }
    if (!GetFileInformationByHandle(h, &i)) {
        return mb_windows_last();
    }
    int64_t ticks = (int64_t)((uint64_t)i.ftLastWriteTime.dwHighDateTime << 32 | i.ftLastWriteTime.dwLowDateTime);
    bool link = link_itself && (i.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
    out->kind = link ? MB_OS_LINK : (i.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? MB_OS_FOLDER : MB_OS_FILE;
    out->device = i.dwVolumeSerialNumber;
    out->file = (uint64_t)i.nFileIndexHigh << 32 | i.nFileIndexLow;
    out->bytes = (uint64_t)i.nFileSizeHigh << 32 | i.nFileSizeLow;
    out->modified_s = ticks / TICKS_S - EPOCH_S;
    return 0;
}

/* Only attributes are asked for, so that a file that another program keeps to itself can be looked at, too. */
static int look(mb_os_info *out, const char *path, bool link_itself)
{
    wchar_t *wide = mb_windows_path(path);
    if (wide == NULL) {
        return errno == EILSEQ ? ENOENT : ENOMEM;
    }
    DWORD flags = FILE_FLAG_BACKUP_SEMANTICS | (link_itself ? FILE_FLAG_OPEN_REPARSE_POINT : 0u);
    HANDLE h = CreateFileW(wide, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING, flags, NULL);
    int code = h != INVALID_HANDLE_VALUE ? look_at_handle(out, h, link_itself) : mb_windows_last();
    if (h != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(h);
    }
    mb_free(wide);
    return code;
}

int mb_os_look(mb_os_info *out, const char *path)
{
    return look(out, path, false);
}

int mb_os_look_here(mb_os_info *out, const char *path)
{
    return look(out, path, true);
}

int mb_os_look_open(mb_os_info *out, int fd)
{
    return look_at_handle(out, handle_of(fd), false);
}

bool mb_os_exists(const char *path)
{
    mb_os_info i;
    return mb_os_look(&i, path) == 0;
}

bool mb_os_is_folder(const char *path)
{
    mb_os_info i;
    return mb_os_look(&i, path) == 0 && i.kind == MB_OS_FOLDER;
}

bool mb_os_is_file(const char *path)
{
    mb_os_info i;
    return mb_os_look(&i, path) == 0 && i.kind == MB_OS_FILE;
}

int mb_os_may_read(const char *path)
{
    int fd, code = mb_os_open(&fd, path, MB_OS_READ);
    if (code == 0) {
        (void)mb_os_close(fd);
    }
    return code;
}

/* Asks for the right to add files, and makes none. */
int mb_os_may_write_in(const char *folder)
{
    wchar_t *wide = mb_windows_path(folder);
    if (wide == NULL) {
        return errno == EILSEQ ? ENOENT : ENOMEM;
    }
    HANDLE h = CreateFileW(wide, FILE_ADD_FILE, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    int code = h != INVALID_HANDLE_VALUE ? 0 : mb_windows_last();
    if (h != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(h);
    }
    mb_free(wide);
    return code;
}

/* Every file system there takes names of 255 UTF-16 units. */
int mb_os_space(const char *folder, double *bytes_left, size_t *longest_name)
{
    wchar_t *wide = mb_windows_path(folder);
    if (wide == NULL) {
        return errno == EILSEQ ? ENOENT : ENOMEM;
    }
    ULARGE_INTEGER left;
    int code = GetDiskFreeSpaceExW(wide, &left, NULL, NULL) ? 0 : mb_windows_last();
    mb_free(wide);
    *bytes_left = code == 0 ? (double)left.QuadPart : 0;
    *longest_name = 255;
    return code;
}

/* The name that the system itself gives a file; of what is no file yet, the full form of its name. */
int mb_os_real_path(char out[MB_OS_PATH_BYTES], const char *path)
{
    wchar_t *wide = mb_windows_path(path), *full = mb_alloc_array(MB_OS_PATH_BYTES, sizeof *full);
    int code = wide == NULL || full == NULL ? ENOMEM : 0;
    HANDLE h = INVALID_HANDLE_VALUE;
    if (code == 0) {
        h = CreateFileW(wide, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
        code = h != INVALID_HANDLE_VALUE ? 0 : mb_windows_last();
    }
    if (code == 0) {
        DWORD n = GetFinalPathNameByHandleW(h, full, MB_OS_PATH_BYTES, FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
        if (n == 0) { /* some network drives know no such names */
            n = GetFullPathNameW(wide, MB_OS_PATH_BYTES, full, NULL);
        }
        /* without the prefix: people read it, and mb_windows_path adds it where it is needed */
        bool share = n > 8 && wcsncmp(full, L"\\\\?\\UNC\\", 8) == 0;
        wchar_t *plain = share ? full + 6 : n > 4 && wcsncmp(full, L"\\\\?\\", 4) == 0 ? full + 4 : full;
        if (share) {
            plain[0] = L'\\';
        }
        code = n == 0 || n >= MB_OS_PATH_BYTES                      ? mb_windows_last()
               : mb_windows_copy_utf8(out, MB_OS_PATH_BYTES, plain) ? 0
                                                                    : ENAMETOOLONG;
    }
    if (code == 0) {
        (void)mb_os_tidy_path(out);
    }
    if (h != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(h);
    }
    mb_free(wide);
    mb_free(full);
    return code;
}

/* ---- open files */

/* Takes the handle in any case. */
static int descriptor_of(int *fd, HANDLE h, int flags)
{
    *fd = _open_osfhandle((intptr_t)h, flags | _O_BINARY | _O_NOINHERIT);
    if (*fd < 0) {
        (void)CloseHandle(h);
        return EMFILE;
    }
    return 0;
}

/* Whoever reads lets others do everything; whoever writes lets others read, at most. */
int mb_os_open(int *fd, const char *path, mb_os_mode mode)
{
    static const struct {
        DWORD access, share, make, flags;
    } how[] = {[MB_OS_READ] = {GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0},
               [MB_OS_READ_NO_WAIT] = {GENERIC_READ, SHARE_ALL, OPEN_EXISTING, 0},
               [MB_OS_WRITE] = {GENERIC_WRITE, FILE_SHARE_READ, OPEN_EXISTING, 0},
               [MB_OS_NEW] = {GENERIC_WRITE, FILE_SHARE_READ, CREATE_NEW, 0},
               [MB_OS_CONTINUE] = {GENERIC_READ | GENERIC_WRITE, SHARE_ALL, OPEN_ALWAYS, FILE_FLAG_OPEN_REPARSE_POINT}};
    *fd = -1;
    wchar_t *wide = mb_windows_path(path);
    if (wide == NULL) {
        return errno == EILSEQ ? ENOENT : ENOMEM;
    }
    HANDLE h = INVALID_HANDLE_VALUE;
    int code = EBUSY;
    for (DWORD wait = 1, i = 0; code == EBUSY && i < BUSY_TRIES; i++) { /* scanners let go soon */
        h = CreateFileW(wide, how[mode].access, how[mode].share, NULL, how[mode].make,
                        FILE_ATTRIBUTE_NORMAL | how[mode].flags, NULL);
        code = h != INVALID_HANDLE_VALUE ? 0 : mb_windows_last();
        if (code == EBUSY) {
            Sleep(wait);
            wait = wait < BUSY_MOST_MS ? 2 * wait : wait;
        }
    }
    mb_free(wide);
    if (code == EACCES && mb_os_is_folder(path)) {
        return EISDIR;
    }
    return code == 0 ? descriptor_of(fd, h, how[mode].access == GENERIC_READ ? _O_RDONLY : 0) : code;
}

int mb_os_open_output(int *fd)
{
    *fd = _dup(1);
    if (*fd >= 0) {
        (void)_setmode(*fd, _O_BINARY);
    }
    return *fd >= 0 ? 0 : errno;
}

int mb_os_close(int fd)
{
    return _close(fd) == 0 ? 0 : errno;
}

/* By the handle: the C library's read would turn CRLF into LF where the stream is not binary yet. A pipe whose writer has
 * gone is at its end. */
int mb_os_read(int fd, void *data, size_t bytes, size_t *got)
{
    DWORD n = 0;
    *got = 0;
    if (!ReadFile(handle_of(fd), data, (DWORD)(bytes < IO_MOST ? bytes : IO_MOST), &n, NULL)) {
        int code = mb_windows_last();
        return code == EPIPE || GetLastError() == ERROR_HANDLE_EOF ? 0 : code;
    }
    *got = n;
    return 0;
}

int mb_os_write(int fd, const void *data, size_t bytes, size_t *put)
{
    DWORD n = 0;
    BOOL fine = WriteFile(handle_of(fd), data, (DWORD)(bytes < IO_MOST ? bytes : IO_MOST), &n, NULL);
    *put = n;
    return fine ? 0 : mb_windows_last();
}

static OVERLAPPED place(uint64_t at)
{
    OVERLAPPED o = {0};
    o.Offset = (DWORD)at;
    o.OffsetHigh = (DWORD)(at >> 32);
    return o;
}

int mb_os_read_at(int fd, uint64_t at, void *data, size_t bytes, size_t *got)
{
    DWORD n = 0;
    OVERLAPPED o = place(at);
    BOOL fine = ReadFile(handle_of(fd), data, (DWORD)(bytes < IO_MOST ? bytes : IO_MOST), &n, &o);
    *got = n;
    return fine || GetLastError() == ERROR_HANDLE_EOF ? 0 : mb_windows_last();
}

int mb_os_write_at(int fd, uint64_t at, const void *data, size_t bytes, size_t *put)
{
    DWORD n = 0;
    OVERLAPPED o = place(at);
    BOOL fine = WriteFile(handle_of(fd), data, (DWORD)(bytes < IO_MOST ? bytes : IO_MOST), &n, &o);
    *put = n;
    return fine ? 0 : mb_windows_last();
}

int mb_os_resize(int fd, uint64_t bytes)
{
    FILE_END_OF_FILE_INFO end;
    end.EndOfFile.QuadPart = (LONGLONG)bytes;
    return SetFileInformationByHandle(handle_of(fd), FileEndOfFileInfo, &end, sizeof end) ? 0 : mb_windows_last();
}

/* The size of the file grows to what is written; the blocks are there before. */
int mb_os_reserve(int fd, uint64_t bytes)
{
    FILE_ALLOCATION_INFO room;
    room.AllocationSize.QuadPart = (LONGLONG)bytes;
    if (SetFileInformationByHandle(handle_of(fd), FileAllocationInfo, &room, sizeof room)) {
        return 0;
    }
    int code = mb_windows_last();
    return mb_os_full(code) != NULL ? code : 0;
}

int mb_os_sync(int fd)
{
    if (FlushFileBuffers(handle_of(fd))) {
        return 0;
    }
    int code = mb_windows_last();
    return code == ENOSYS || code == EINVAL ? 0 : code;
}

/* One byte far behind any file's end: the contents stay readable for others. */
int mb_os_lock(int fd)
{
    OVERLAPPED o = place(UINT64_C(0x7fffffff00000000));
    if (LockFileEx(handle_of(fd), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &o)) {
        return 0;
    }
    DWORD error = GetLastError();
    return error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING ? EWOULDBLOCK : mb_windows_errno(error);
}

/* The view keeps the file; the section's handle need not stay. */
int mb_os_map(const void **data, int fd, size_t bytes)
{
    *data = NULL;
    HANDLE section = CreateFileMappingW(handle_of(fd), NULL, PAGE_READONLY, 0, 0, NULL);
    if (section == NULL) {
        return mb_windows_last();
    }
    *data = MapViewOfFile(section, FILE_MAP_READ, 0, 0, bytes);
    int code = *data != NULL ? 0 : mb_windows_last();
    (void)CloseHandle(section);
    return code;
}

void mb_os_unmap(const void *data, size_t bytes)
{
    (void)bytes;
    (void)UnmapViewOfFile(data);
}

FILE *mb_os_fopen(const char *path, const char *mode)
{
    wchar_t *wide = mb_windows_path(path), how[8] = {0};
    for (size_t i = 0; mode[i] != '\0' && i < 6; i++) {
        how[i] = (wchar_t)(unsigned char)mode[i];
    }
    FILE *f = NULL;
    if (wide != NULL) {
        f = _wfopen(wide, how);
        int code = errno;
        mb_free(wide);
        errno = code;
    }
    return f;
}

/* ---- names of files */

int mb_os_remove(const char *path)
{
    wchar_t *wide = mb_windows_path(path);
    if (wide == NULL) {
        return errno == EILSEQ ? ENOENT : ENOMEM;
    }
    int code = EBUSY;
    for (DWORD wait = 1, i = 0; code == EBUSY && i < BUSY_TRIES; i++) {
        code = DeleteFileW(wide) ? 0 : mb_windows_last();
        if (code == EBUSY) {
            Sleep(wait);
            wait = wait < BUSY_MOST_MS ? 2 * wait : wait;
        }
    }
    mb_free(wide);
    return code;
}

/* Does another program keep us from renaming it? */
static bool is_held(const wchar_t *path)
{
    HANDLE h = CreateFileW(path, DELETE, SHARE_ALL, NULL, OPEN_EXISTING,
                           FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (h != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(h);
        return false;
    }
    return GetLastError() == ERROR_SHARING_VIOLATION;
}

static bool is_read_only(const wchar_t *path)
{
    DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_READONLY) != 0;
}

/* Access is denied, too, while a scanner holds the target: waiting a little costs nothing where it is for good. Then the
 * system's "access denied" would send people to look for rights. */
static int move(const wchar_t *from, const wchar_t *to, bool replace)
{
    DWORD flags = MOVEFILE_WRITE_THROUGH | (replace ? MOVEFILE_REPLACE_EXISTING : 0u), wait = 1;
    int code = EBUSY;
    if (is_read_only(to)) {
        return replace ? EROFS : EEXIST; /* Wine would replace it */
    }
    for (int i = 0; (code == EBUSY || code == EACCES) && i < BUSY_TRIES; i++) {
        code = MoveFileExW(from, to, flags) ? 0 : mb_windows_last();
        if (code == EBUSY || code == EACCES) {
            Sleep(wait);
            wait = wait < BUSY_MOST_MS ? 2 * wait : wait;
        }
    }
    return code == EACCES && (is_held(to) || is_held(from)) ? EBUSY : code;
}

int mb_os_rename(const char *from, const char *to)
{
    wchar_t *a = mb_windows_path(from), *b = mb_windows_path(to);
    int code = a != NULL && b != NULL ? move(a, b, true) : ENOMEM;
    mb_free(a);
    mb_free(b);
    return code;
}

int mb_os_make_folder(const char *path, bool for_the_user_alone)
{
    (void)for_the_user_alone; /* the folders above decide */
    wchar_t *wide = mb_windows_path(path);
    if (wide == NULL) {
        return errno == EILSEQ ? ENOENT : ENOMEM;
    }
    int code = CreateDirectoryW(wide, NULL) ? 0 : mb_windows_last();
    mb_free(wide);
    return code;
}

/* ---- a folder in which an output is made */

/* Its full path: the current folder may change meanwhile. */
struct mb_os_folder {
    char path[MB_OS_PATH_BYTES];
};

int mb_os_folder_open(mb_os_folder **out, const char *path)
{
    mb_os_info info;
    int code = mb_os_look(&info, path);
    if (code != 0 || info.kind != MB_OS_FOLDER) {
        return code != 0 ? code : ENOTDIR;
    }
    mb_os_folder *f = mb_alloc(sizeof *f);
    if (f == NULL) {
        return ENOMEM;
    }
    code = mb_os_real_path(f->path, path);
    if (code != 0) {
        mb_free(f);
        return code;
    }
    *out = f;
    return 0;
}

void mb_os_folder_close(mb_os_folder *f)
{
    mb_free(f);
}

/* Free with mb_free; NULL: no memory. */
static wchar_t *join(const mb_os_folder *f, const char *name)
{
    char path[MB_OS_PATH_BYTES + MB_OS_NAME_BYTES];
    size_t n = strlen(f->path);
    int length = snprintf(path, sizeof path, "%s%s%s", f->path, n > 0 && f->path[n - 1] == '/' ? "" : "/", name);
    return length > 0 && (size_t)length < sizeof path ? mb_windows_path(path) : NULL;
}

/* Nobody can remove it while it is open: sharing does not include that. */
int mb_os_folder_new(mb_os_folder *f, const char *name, int *fd)
{
    *fd = -1;
    wchar_t *wide = join(f, name);
    if (wide == NULL) {
        return errno == EILSEQ ? EILSEQ : ENOMEM;
    }
    HANDLE h =
        CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    int code = h != INVALID_HANDLE_VALUE ? 0 : mb_windows_last();
    mb_free(wide);
    return code == 0 ? descriptor_of(fd, h, 0) : code == EBUSY ? EEXIST : code;
}

/* The system refuses to remove what a writer has open; so whatever can be removed is stale. */
void mb_os_folder_drop_stale(mb_os_folder *f, const char *name, int64_t age_s)
{
    (void)age_s;
    mb_os_folder_remove(f, name);
}

void mb_os_folder_remove(mb_os_folder *f, const char *name)
{
    wchar_t *wide = join(f, name);
    if (wide != NULL) {
        (void)DeleteFileW(wide);
    }
    mb_free(wide);
}

int mb_os_folder_rename(mb_os_folder *f, const char *from, const char *to, bool replace)
{
    wchar_t *a = join(f, from), *b = join(f, to);
    int code = a != NULL && b != NULL ? move(a, b, replace) : ENOMEM;
    mb_free(a);
    mb_free(b);
    return code;
}

/* Renaming was told to write through. */
void mb_os_folder_sync(mb_os_folder *f)
{
    (void)f;
}
