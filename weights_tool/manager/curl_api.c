/* Opened when it is needed instead of linked: the program then starts without libcurl installed, loads no TLS library to cut out a
 * photo, and runs with whichever build of libcurl the distribution has. Types and option numbers come from curl's
 * header. */
#include "manager/curl_api.h"

#include "core/os_library.h"

#include <stdbool.h>
#include <string.h>

/* The same interface under three names; which of them a machine has depends on its TLS library. */
static const char *const libraries[] = {MB_OS_LIBRARY("libcurl.so.4", "libcurl-x64.dll"),
                                        MB_OS_LIBRARY("libcurl-gnutls.so.4", "libcurl.dll"),
                                        MB_OS_LIBRARY("libcurl-nss.so.4", "libcurl-4.dll")};

static curl_api api;
static void *library;

/* A function of the library by its name; the copy is POSIX's way from an object pointer to a function. */
static bool find(void *field, const char *name)
{
    void *symbol = mb_os_library_symbol(library, name);
    memcpy(field, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* Takes the first library that opens. One missing symbol makes the whole table useless, so it is cleared.
 * curl_global_init is not thread-safe everywhere, hence the rule in the header. */
mb_status curl_api_open(const curl_api **out, mb_error *err)
{
    *out = NULL;
    for (size_t i = 0; library == NULL && i < sizeof libraries / sizeof libraries[0]; i++) {
        library = mb_os_library_open(libraries[i], 0);
    }
    if (library == NULL) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "downloading needs %s, which is not on this machine\ninstall libcurl4, or copy the file by "
                       "hand and run mattebox models import FILE",
                       libraries[0]);
    }
    if (api.version == NULL &&
        (!find(&api.easy_init, "curl_easy_init") || !find(&api.easy_setopt, "curl_easy_setopt") ||
         !find(&api.easy_perform, "curl_easy_perform") || !find(&api.easy_getinfo, "curl_easy_getinfo") ||
         !find(&api.easy_cleanup, "curl_easy_cleanup") || !find(&api.easy_strerror, "curl_easy_strerror") ||
         !find(&api.global_init, "curl_global_init") || !find(&api.slist_append, "curl_slist_append") ||
         !find(&api.slist_free_all, "curl_slist_free_all") || !find(&api.version, "curl_version") ||
         api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)) {
        memset(&api, 0, sizeof api);
        return mb_fail(err, MB_E_UNSUPPORTED, "libcurl on this machine cannot be used\nreinstall libcurl4");
    }
    *out = &api;
    return MB_OK;
}
