file(READ ${IN} TEXT)
file(WRITE ${OUT} "#include \"frontend/Frontend.h\"\nstd::string_view einfall::frontend::preludeText() {\n  return R\"__ein__(${TEXT})__ein__\";\n}\n")
