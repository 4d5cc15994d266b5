/* The main function of every test program that has none of its own. */
#include "harness/check.h"

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
