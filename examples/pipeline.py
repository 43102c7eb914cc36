"""The pipeline of pipeline.c from Python: pyopencl has the context, the queue and the buffers, and
clkl is called through ctypes. Handles pass as the integers of int_ptr, and pyopencl takes over the
event that clkl returns.

    CLKL_LIBRARY=/path/to/libclkl.so python3 pipeline.py   # or where the system finds the library
"""
import ctypes
import ctypes.util
import os
import sys
from ctypes import byref, c_char, c_double, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

import numpy
import pyopencl as cl

# ---- The structs of clkl.h and clkl_opencl.h ----

MAX_RANK, MOMENTS = 9, 1


def struct(name, **fields):
    return type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})


Error = struct("Error", struct_size=c_size_t, status=c_int, opencl_code=c_int, call=c_char * 48,
               message=c_char * 400, build_log=c_char * 4096)
Gaussian = struct("Gaussian", form=c_int, dtype=c_int, layout=c_int, split_axis=c_uint32,
                  mean_strides=c_int64 * MAX_RANK, scale_strides=c_int64 * MAX_RANK,
                  reserved=c_uint64 * 8)
Spec = struct("Spec", struct_size=c_size_t, rank=c_uint32, outputs=c_uint32,
              shape=c_uint64 * MAX_RANK, p=Gaussian, q=Gaussian, compute=c_int, clamp=c_int,
              clamp_low=c_double, clamp_high=c_double, keep=c_uint32, batch_reduction=c_int,
              reserved=c_uint64 * 8)
Buffer = struct("Buffer", mem=c_void_p, offset=c_size_t)
Args = struct("Args", struct_size=c_size_t, p_mean=Buffer, p_scale=Buffer, q_mean=Buffer,
              q_scale=Buffer, result=Buffer, value_status=Buffer, clamp_counts=Buffer,
              scratch=Buffer, batch=c_uint64)

# ---- The functions ----

clkl = ctypes.CDLL(os.environ.get("CLKL_LIBRARY") or ctypes.util.find_library("clkl")
                   or "libclkl.so")
clkl.clkl_plan_scratch_size.restype = c_size_t


def call(function, *arguments):
    """Calls a function of clkl's, with an error to fill as its last argument."""
    error = Error(struct_size=ctypes.sizeof(Error))
    if function(*arguments, byref(error)) != 0:
        raise RuntimeError(error.message.decode())


# ---- The pipeline ----

SOURCE = """
kernel void encode(global float *moments, uint n)
{
    const size_t i = get_global_id(0), sample = i / n;
    moments[i] = (i % n < n / 2 ? 0.125f : -0.25f) * sample; /* mean : log-variance */
}
kernel void add_kl(global const float *kl, float beta, global float *loss)
{
    loss[get_global_id(0)] += beta * kl[get_global_id(0)];
}
"""
batch, channels, side, beta = 8, 16, 64, numpy.float32(0.001)
latents = channels * side * side

cl_device = next(device for platform in cl.get_platforms() for device in platform.get_devices())
context = cl.Context([cl_device])
out_of_order = cl.command_queue_properties.OUT_OF_ORDER_EXEC_MODE_ENABLE
queue = cl.CommandQueue(context, cl_device, cl_device.queue_properties & out_of_order)
program = cl.Program(context, SOURCE).build()
loss = numpy.ones(batch, numpy.float32)
read_write, copy = cl.mem_flags.READ_WRITE, cl.mem_flags.COPY_HOST_PTR
moments = cl.Buffer(context, read_write, batch * 2 * latents * 4)
kl = cl.Buffer(context, read_write, batch * 4)
losses = cl.Buffer(context, read_write | copy, hostbuf=loss)

spec = Spec(struct_size=ctypes.sizeof(Spec), rank=4, shape=(batch, channels, side, side))
spec.p.form = MOMENTS
device, plan, event = c_void_p(), c_void_p(), c_void_p()
call(clkl.clkl_device_create, c_void_p(context.int_ptr), c_void_p(cl_device.int_ptr), byref(device))
call(clkl.clkl_plan_create, device, byref(spec), c_uint32(0), byref(plan))
scratch = cl.Buffer(context, read_write, clkl.clkl_plan_scratch_size(plan) + 1)

encoded = program.encode(queue, (batch * 2 * latents,), None, moments,
                         numpy.uint32(2 * latents))
args = Args(struct_size=ctypes.sizeof(Args), p_mean=Buffer(moments.int_ptr),
            result=Buffer(kl.int_ptr), scratch=Buffer(scratch.int_ptr))
call(clkl.clkl_enqueue, plan, c_void_p(queue.int_ptr), byref(args), c_uint32(1),
     byref(c_void_p(encoded.int_ptr)), byref(event))
divergence = cl.Event.from_int_ptr(event.value, retain=False)
added = program.add_kl(queue, (batch,), None, kl, beta, losses, wait_for=[divergence])
cl.enqueue_copy(queue, loss, losses, wait_for=[added])
print(f"loss + {beta:g} KL of {batch} samples: from {loss[0]:g} to {loss[-1]:g}")
clkl.clkl_plan_release(plan)
clkl.clkl_device_release(device)

# Each loss was 1, and every latent of sample b has the mean b/8 and the log-variance -b/4.
mean, logvar = numpy.arange(batch) / 8, numpy.arange(batch) / -4
expected = 1 + float(beta) * latents / 2 * (numpy.expm1(logvar) - logvar + mean**2)
sys.exit(0 if numpy.allclose(loss, expected, rtol=1e-6, atol=0) else "wrong losses")
