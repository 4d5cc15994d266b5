/* The page, brought in by the assembler; CMake says where it lies (MB_PAGE) and builds this file anew when it changes. */
#include "routes.h"

__asm__(".section .rodata,\"a\",%progbits\n"
        ".balign 16\n"
        ".global page_html\n"
        ".type page_html, %object\n"
        "page_html:\n"
        ".incbin \"" MB_PAGE "\"\n"
        "page_html_end:\n"
        ".size page_html, page_html_end - page_html\n"
        ".balign 4\n"
        ".global page_bytes\n"
        ".type page_bytes, %object\n"
        "page_bytes:\n"
        ".long page_html_end - page_html\n"
        ".size page_bytes, 4\n"
        ".previous\n");
