/* The FileDescriptorSet of proto/, as read-only data. common/contract reads it. */
    .section .rodata
    .global descriptors_start
    .global descriptors_end
    .balign 8
descriptors_start:
    .incbin DESCRIPTORS_FILE
descriptors_end:
    .byte 0
    .section .note.GNU-stack,"",%progbits
