# Fills TEMPLATE with what the tool's tables of options say, which PROGRAM writes, and with VERSION
# and DATE; the result is OUTPUT.
foreach(what synopsis manual words)
  execute_process(COMMAND ${PROGRAM} ${what} OUTPUT_VARIABLE ${what} RESULT_VARIABLE status
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ${what}: ${status}")
  endif()
endforeach()
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
