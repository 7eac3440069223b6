/*===- error.c - the text of an error --------------------------------------------===*/
#include "Internal.h"
#include <stdio.h>
#include <string.h>

einfall_status einfallrt_fail(ErrorText error, einfall_status status, const char *format, ...) {
  static const char rule[] = " [ein-c1]";
  const size_t reserved = status == EINFALL_BAD_ARGUMENT ? sizeof rule - 1 : 0;
  if (!error.text || error.size == 0)
    return status;
  if (error.size <= reserved + 1) {
    error.text[0] = 0;
    return status;
  }
  va_list list;
  va_start(list, format);
  int length = vsnprintf(error.text, error.size - reserved, format, list);
  va_end(list);
  if (length < 0)
    error.text[0] = 0;
  if (reserved)
    memcpy(error.text + strlen(error.text), rule, sizeof rule);
  return status;
}
