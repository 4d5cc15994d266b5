/* What the tests of one running server share: it, the photo that they send, and the last answer. A test program includes this
 * once; its SETUP starts the server and reads the photo. */
#ifndef MB_TEST_ONE_SERVER_H
#define MB_TEST_ONE_SERVER_H

#include "harness/check.h"
#include "harness/process.h"
#include "harness/serving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static serving s;
static reply r;
static char *photo; /* by malloc */
static size_t photo_bytes;

BEFORE_EACH
{
    reply_dispose(&r);
}

TEARDOWN
{
    CHECK_EQ(serving_stop(&s), 0);
    reply_dispose(&r);
    free(photo);
}

#endif
