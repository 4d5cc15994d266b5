/* For tests on Windows: * and ? alone. */
#pragma once
static inline int fnmatch(const char *pattern, const char *text, int flags)
{
    if (*pattern == '*') {
        return fnmatch(pattern + 1, text, flags) == 0 || (*text != '\0' && fnmatch(pattern, text + 1, flags) == 0) ? 0
                                                                                                                   : 1;
    }
    if (*pattern == '\0' || *text == '\0') {
        return *pattern == *text ? 0 : 1;
    }
    return *pattern == '?' || *pattern == *text ? fnmatch(pattern + 1, text + 1, flags) : 1;
}
