/* Small models for tests, generated once per build folder. */
#ifndef MB_TEST_MODELS_H
#define MB_TEST_MODELS_H

/* Path of a .mbw file of generated weights ("tiny_legacy": 24 MB, the smallest; see mattebox-weights generate). Ends
 * the test when it cannot be made. */
const char *test_model(const char *variant);

#endif
