/* F4, its outer layer: any bytes as a zip archive, and its data.pkl as a pickle. Members lie within the file and apart,
 * local headers say what the directory says, and none unpacks to more than it says. */
#include "zip.h"
#include "core/alloc.h"
#include "fuzz.h"
#include "pickle.h"

#include <string.h>

#define MOST ((size_t)1 << 16)

static uint32_t number(const uint8_t *p, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++) {
        v |= (uint32_t)p[i] << (8 * i);
    }
    return v;
}

/* What another reader would see that comes from the front: the header that ends where the member begins. */
static void check_local(const zip_member *m, const uint8_t *bytes)
{
    const size_t name = strlen(m->name);
    bool found = false;
    for (const uint8_t *p = m->data - 30 - name; p >= bytes && m->data - p <= 30 + 65535 + 65535 && !found; p--) {
        found = p[0] == 'P' && number(p, 4) == 0x04034b50 && number(p + 26, 2) == name &&
                memcmp(p + 30, m->name, name) == 0 && 30 + name + number(p + 28, 2) == (size_t)(m->data - p) &&
                number(p + 8, 2) == (m->deflated ? 8u : 0u);
    }
    FUZZ_MUST(found);
}

static void check_members(const zip_archive *z, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < z->n_members; i++) {
        const zip_member *m = &z->members[i];
        FUZZ_MUST(m->data >= bytes && m->packed <= n && (size_t)(m->data - bytes) <= n - m->packed);
        FUZZ_MUST(zip_find(z, m->name) == m && strstr(m->name, "/../") == NULL && m->name[0] != '/');
        FUZZ_MUST(m->deflated ? m->bytes / 1040 <= m->packed : m->bytes == m->packed);
        check_local(m, bytes);
        for (size_t j = 0; j < i; j++) {
            const zip_member *o = &z->members[j];
            FUZZ_MUST(o->data >= m->data + m->packed || m->data >= o->data + o->packed);
        }
    }
}

static void unpack(const zip_member *m)
{
    uint8_t *contents = NULL;
    mb_error err = {0};
    pickle p;
    mb_status status = zip_extract(m, MOST, &contents, &err);
    FUZZ_MUST(status == MB_OK ? contents != NULL && m->bytes <= MOST : contents == NULL && err.message[0] != '\0');
    if (status == MB_OK && strstr(m->name, "data.pkl") != NULL && pickle_read(&p, contents, m->bytes, NULL) == MB_OK) {
        pickle_dispose(&p);
    }
    FUZZ_MUST(status != MB_OK || m->deflated || zip_check_crc(m, NULL) == MB_OK);
    mb_free(contents);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    zip_archive z;
    mb_error err = {0};
    fuzz_fault_begin(bytes, n);
    mb_status status = zip_open(&z, bytes, n, &err);
    const bool failed = fuzz_fault_end();
    FUZZ_MUST(status == MB_OK || (err.message[0] != '\0' && err.code == status && z.members == NULL));
    FUZZ_MUST(!failed || status == MB_E_MEMORY);
    if (status != MB_OK) {
        return 0;
    }
    check_members(&z, bytes, n);
    for (size_t i = 0; i < z.n_members; i++) {
        unpack(&z.members[i]);
    }
    zip_dispose(&z);
    return 0;
}
