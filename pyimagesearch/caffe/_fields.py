"""The fields of Caffe's text format: their types, and what counts where a field is absent.

One line a message, `field:type`. A type is int (32 bit), long (64 bit), uint, float, bool, string,
the name of another message, or names with a bar between them, an enumeration that counts from 0
(`A|B`) or from another number (`1:A|B`). A star repeats it. `=` gives the default; without it the
default is 0, false, the empty string, or the first name.
"""

from functools import cache
from typing import NamedTuple

ENGINE = "engine:DEFAULT|CAFFE|CUDNN"

# Numbers of the types in `layers { type: RELU }`, and today's names for them.
V1_TYPES = {
    **{"ABSVAL": (35, "AbsVal"), "ACCURACY": (1, "Accuracy"), "ARGMAX": (30, "ArgMax")},
    **{"BNLL": (2, "BNLL"), "CONCAT": (3, "Concat"), "CONVOLUTION": (4, "Convolution")},
    **{"CONTRASTIVE_LOSS": (37, "ContrastiveLoss"), "DATA": (5, "Data")},
    **{"DECONVOLUTION": (39, "Deconvolution"), "DROPOUT": (6, "Dropout")},
    **{"DUMMY_DATA": (32, "DummyData"), "ELTWISE": (25, "Eltwise")},
    **{"EUCLIDEAN_LOSS": (7, "EuclideanLoss"), "EXP": (38, "Exp"), "FLATTEN": (8, "Flatten")},
    **{"HDF5_DATA": (9, "HDF5Data"), "HDF5_OUTPUT": (10, "HDF5Output")},
    **{"HINGE_LOSS": (28, "HingeLoss"), "IM2COL": (11, "Im2col"), "IMAGE_DATA": (12, "ImageData")},
    **{"INFOGAIN_LOSS": (13, "InfogainLoss"), "INNER_PRODUCT": (14, "InnerProduct")},
    **{"LRN": (15, "LRN"), "MEMORY_DATA": (29, "MemoryData")},
    "MULTINOMIAL_LOGISTIC_LOSS": (16, "MultinomialLogisticLoss"),
    **{"MVN": (34, "MVN"), "NONE": (0, ""), "POOLING": (17, "Pooling"), "POWER": (26, "Power")},
    **{"RELU": (18, "ReLU"), "SIGMOID": (19, "Sigmoid"), "SILENCE": (36, "Silence")},
    "SIGMOID_CROSS_ENTROPY_LOSS": (27, "SigmoidCrossEntropyLoss"),
    **{"SLICE": (33, "Slice"), "SOFTMAX": (20, "Softmax"), "SOFTMAX_LOSS": (21, "SoftmaxWithLoss")},
    **{"SPLIT": (22, "Split"), "TANH": (23, "TanH"), "THRESHOLD": (31, "Threshold")},
    "WINDOW_DATA": (24, "WindowData"),
}

MESSAGES = f"""
NetParameter name:string input:string* input_shape:BlobShape* input_dim:int* force_backward:bool
    state:NetState debug_info:bool layer:LayerParameter* layers:V1LayerParameter*
NetState phase:TRAIN|TEST=TEST level:int stage:string*
NetStateRule phase:TRAIN|TEST min_level:int max_level:int stage:string* not_stage:string*
ParamSpec name:string share_mode:STRICT|PERMISSIVE lr_mult:float=1 decay_mult:float=1
BlobShape dim:long*
BlobProto shape:BlobShape data:float* diff:float* double_data:float* double_diff:float*
    num:int channels:int height:int width:int
FillerParameter type:string=constant value:float min:float max:float=1 mean:float std:float=1
    sparse:int=-1 variance_norm:FAN_IN|FAN_OUT|AVERAGE

SolverParameter net:string net_param:NetParameter train_net:string test_net:string*
    train_net_param:NetParameter test_net_param:NetParameter* train_state:NetState
    test_state:NetState* test_iter:int* test_interval:int test_compute_loss:bool
    test_initialization:bool=true base_lr:float display:int average_loss:int=1 max_iter:int
    iter_size:int=1 lr_policy:string gamma:float power:float momentum:float weight_decay:float
    regularization_type:string=L2 stepsize:int stepvalue:int* clip_gradients:float=-1
    snapshot:int snapshot_prefix:string snapshot_diff:bool
    snapshot_format:HDF5|BINARYPROTO=BINARYPROTO solver_mode:CPU|GPU=GPU device_id:int
    random_seed:long=-1 type:string=SGD delta:float=1e-8 momentum2:float=0.999
    rms_decay:float=0.99 debug_info:bool snapshot_after_train:bool=true
    solver_type:SGD|NESTEROV|ADAGRAD|RMSPROP|ADADELTA|ADAM layer_wise_reduce:bool=true
    weights:string*

LayerParameter name:string type:string bottom:string* top:string* phase:TRAIN|TEST
    loss_weight:float* param:ParamSpec* blobs:BlobProto* propagate_down:bool*
    include:NetStateRule* exclude:NetStateRule* transform_param:TransformationParameter
    loss_param:LossParameter accuracy_param:AccuracyParameter argmax_param:ArgMaxParameter
    batch_norm_param:BatchNormParameter bias_param:BiasParameter clip_param:ClipParameter
    concat_param:ConcatParameter contrastive_loss_param:ContrastiveLossParameter
    convolution_param:ConvolutionParameter crop_param:CropParameter data_param:DataParameter
    dropout_param:DropoutParameter dummy_data_param:DummyDataParameter
    eltwise_param:EltwiseParameter elu_param:ELUParameter embed_param:EmbedParameter
    exp_param:ExpParameter flatten_param:FlattenParameter hdf5_data_param:HDF5DataParameter
    hdf5_output_param:HDF5OutputParameter hinge_loss_param:HingeLossParameter
    image_data_param:ImageDataParameter infogain_loss_param:InfogainLossParameter
    inner_product_param:InnerProductParameter input_param:InputParameter log_param:LogParameter
    lrn_param:LRNParameter memory_data_param:MemoryDataParameter mvn_param:MVNParameter
    parameter_param:ParameterParameter pooling_param:PoolingParameter power_param:PowerParameter
    prelu_param:PReLUParameter python_param:PythonParameter recurrent_param:RecurrentParameter
    reduction_param:ReductionParameter relu_param:ReLUParameter reshape_param:ReshapeParameter
    scale_param:ScaleParameter sigmoid_param:SigmoidParameter softmax_param:SoftmaxParameter
    spp_param:SPPParameter slice_param:SliceParameter swish_param:SwishParameter
    tanh_param:TanHParameter threshold_param:ThresholdParameter tile_param:TileParameter
    window_data_param:WindowDataParameter

V1LayerParameter bottom:string* top:string* name:string include:NetStateRule*
    exclude:NetStateRule* type:V1Type blobs:BlobProto* param:string*
    blob_share_mode:STRICT|PERMISSIVE* blobs_lr:float* weight_decay:float* loss_weight:float*
    accuracy_param:AccuracyParameter argmax_param:ArgMaxParameter concat_param:ConcatParameter
    contrastive_loss_param:ContrastiveLossParameter convolution_param:ConvolutionParameter
    data_param:DataParameter dropout_param:DropoutParameter dummy_data_param:DummyDataParameter
    eltwise_param:EltwiseParameter exp_param:ExpParameter hdf5_data_param:HDF5DataParameter
    hdf5_output_param:HDF5OutputParameter hinge_loss_param:HingeLossParameter
    image_data_param:ImageDataParameter infogain_loss_param:InfogainLossParameter
    inner_product_param:InnerProductParameter lrn_param:LRNParameter
    memory_data_param:MemoryDataParameter mvn_param:MVNParameter pooling_param:PoolingParameter
    power_param:PowerParameter relu_param:ReLUParameter sigmoid_param:SigmoidParameter
    softmax_param:SoftmaxParameter slice_param:SliceParameter tanh_param:TanHParameter
    threshold_param:ThresholdParameter window_data_param:WindowDataParameter
    transform_param:TransformationParameter loss_param:LossParameter layer:V0LayerParameter
V0LayerParameter name:string type:string

TransformationParameter scale:float=1 mirror:bool crop_size:uint mean_file:string
    mean_value:float* force_color:bool force_gray:bool
LossParameter ignore_label:int normalization:FULL|VALID|BATCH_SIZE|NONE=VALID normalize:bool
AccuracyParameter top_k:uint=1 axis:int=1 ignore_label:int
ArgMaxParameter out_max_val:bool top_k:uint=1 axis:int
BatchNormParameter use_global_stats:bool moving_average_fraction:float=0.999 eps:float=1e-5
BiasParameter axis:int=1 num_axes:int=1 filler:FillerParameter
ClipParameter min:float max:float
ConcatParameter axis:int=1 concat_dim:uint=1
ContrastiveLossParameter margin:float=1 legacy_version:bool
ConvolutionParameter num_output:uint bias_term:bool=true pad:uint* kernel_size:uint* stride:uint*
    dilation:uint* pad_h:uint pad_w:uint kernel_h:uint kernel_w:uint stride_h:uint stride_w:uint
    group:uint=1 weight_filler:FillerParameter bias_filler:FillerParameter {ENGINE} axis:int=1
    force_nd_im2col:bool
CropParameter axis:int=2 offset:uint*
DataParameter source:string batch_size:uint rand_skip:uint backend:LEVELDB|LMDB scale:float=1
    mean_file:string crop_size:uint mirror:bool force_encoded_color:bool prefetch:uint=4
DropoutParameter dropout_ratio:float=0.5
DummyDataParameter data_filler:FillerParameter* shape:BlobShape* num:uint* channels:uint*
    height:uint* width:uint*
EltwiseParameter operation:PROD|SUM|MAX=SUM coeff:float* stable_prod_grad:bool=true
ELUParameter alpha:float=1
EmbedParameter num_output:uint input_dim:uint bias_term:bool=true weight_filler:FillerParameter
    bias_filler:FillerParameter
ExpParameter base:float=-1 scale:float=1 shift:float
FlattenParameter axis:int=1 end_axis:int=-1
HDF5DataParameter source:string batch_size:uint shuffle:bool
HDF5OutputParameter file_name:string
HingeLossParameter norm:1:L1|L2
ImageDataParameter source:string batch_size:uint=1 rand_skip:uint shuffle:bool new_height:uint
    new_width:uint is_color:bool=true scale:float=1 mean_file:string crop_size:uint mirror:bool
    root_folder:string
InfogainLossParameter source:string axis:int=1
InnerProductParameter num_output:uint bias_term:bool=true weight_filler:FillerParameter
    bias_filler:FillerParameter axis:int=1 transpose:bool
InputParameter shape:BlobShape*
LogParameter base:float=-1 scale:float=1 shift:float
LRNParameter local_size:uint=5 alpha:float=1 beta:float=0.75
    norm_region:ACROSS_CHANNELS|WITHIN_CHANNEL k:float=1 {ENGINE}
MemoryDataParameter batch_size:uint channels:uint height:uint width:uint
MVNParameter normalize_variance:bool=true across_channels:bool eps:float=1e-9
ParameterParameter shape:BlobShape
PoolingParameter pool:MAX|AVE|STOCHASTIC pad:uint pad_h:uint pad_w:uint kernel_size:uint
    kernel_h:uint kernel_w:uint stride:uint=1 stride_h:uint stride_w:uint {ENGINE}
    global_pooling:bool round_mode:CEIL|FLOOR
PowerParameter power:float=1 scale:float=1 shift:float
PReLUParameter filler:FillerParameter channel_shared:bool
PythonParameter module:string layer:string param_str:string share_in_parallel:bool
RecurrentParameter num_output:uint weight_filler:FillerParameter bias_filler:FillerParameter
    debug_info:bool expose_hidden:bool
ReductionParameter operation:1:SUM|ASUM|SUMSQ|MEAN axis:int coeff:float=1
ReLUParameter negative_slope:float {ENGINE}
ReshapeParameter shape:BlobShape axis:int num_axes:int=-1
ScaleParameter axis:int=1 num_axes:int=1 filler:FillerParameter bias_term:bool
    bias_filler:FillerParameter
SigmoidParameter {ENGINE}
SliceParameter axis:int=1 slice_point:uint* slice_dim:uint=1
SoftmaxParameter {ENGINE} axis:int=1
SPPParameter pyramid_height:uint pool:MAX|AVE|STOCHASTIC {ENGINE}
SwishParameter beta:float=1
TanHParameter {ENGINE}
ThresholdParameter threshold:float
TileParameter axis:int=1 tiles:int
WindowDataParameter source:string scale:float=1 mean_file:string batch_size:uint crop_size:uint
    mirror:bool fg_threshold:float=0.5 bg_threshold:float=0.5 fg_fraction:float=0.25
    context_pad:uint crop_mode:string=warp cache_images:bool root_folder:string
"""

SIMPLE = {"int": 0, "long": 0, "uint": 0, "float": 0.0, "bool": False, "string": ""}


class Field(NamedTuple):
    """A field of a message."""

    name: str
    type: str  # one of SIMPLE, "enum", or the name of a message
    repeated: bool
    default: object
    numbers: dict  # of an enumeration: name -> number


@cache
def fields_of(kind):
    """Return the fields of a message, a dict name -> Field."""
    return _messages()[kind]


@cache
def _messages():
    messages, kind = {}, None
    for word in MESSAGES.split():
        if ":" not in word:
            kind = messages.setdefault(word, {})
            continue
        field = _field(word)
        kind[field.name] = field
    return messages


def _field(word):
    name, _, rest = word.partition(":")
    rest, _, default = rest.partition("=")
    repeated, type_ = rest.endswith("*"), rest.rstrip("*")
    numbers = {}
    if type_ == "V1Type":
        numbers = {old: number for old, (number, _) in V1_TYPES.items()}
        type_, default = "enum", "NONE"
    elif "|" in type_:
        first, _, names = type_.rpartition(":")
        numbers = {name: i for i, name in enumerate(names.split("|"), int(first or 0))}
        type_, default = "enum", default or next(iter(numbers))
    elif default:
        default = {"bool": "true".__eq__, "string": str, "float": float}.get(type_, int)(default)
    else:
        default = SIMPLE.get(type_)
    return Field(name, type_, repeated, default, numbers)
