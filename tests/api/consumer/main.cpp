// The header from C++17: initialisers, enums, and an error that tells.
#include <cstring>
#include <mattebox.h>

int main()
{
    mb_options options;
    mb_options_init(&options);
    options.erode = 0;
    mb_error error{};
    bool refused = mb_options_check(&options, &error) == MB_E_ARGUMENT;
    return refused && std::strstr(error.message, "1 to 255") != nullptr && mb_version()[0] != '\0' ? 0 : 1;
}
