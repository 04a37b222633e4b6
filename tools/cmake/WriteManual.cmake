# cmake -DPROGRAM=srcsel -DPROJECT_VERSION=V -DIN=srcsel.8.in -DOUT=srcsel.8 -P WriteManual.cmake

execute_process(COMMAND "${PROGRAM}" manual OUTPUT_VARIABLE VERBS COMMAND_ERROR_IS_FATAL ANY)
configure_file("${IN}" "${OUT}" @ONLY)
